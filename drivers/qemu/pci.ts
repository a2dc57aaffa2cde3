// PCI configuration space by mechanism one (PCI Local Bus Specification 3.0, section 3.2.2.3.2): an address in port 0xcf8, data in 0xcfc.
// There is no firmware on this machine, so base addresses and the command register are written here.

import { TargetError } from './errors.js';
import type { Qtest, Slot } from './qtest.js';

const CONFIG_ADDRESS = 0xcf8;
const CONFIG_DATA = 0xcfc;
/** Offsets of the configuration header, section 6.1. */
const COMMAND = 0x04;
const BAR0 = 0x10;
/** Command register, section 6.2.2: answer memory accesses, and act as a bus master (without which no DMA leaves the function). */
const MEMORY_SPACE = 1 << 1;
const BUS_MASTER = 1 << 2;

/** A function found on bus 0. Its requester id is its bus, device and function number, which on bus 0 is `devfn`. */
export interface PciFunction {
  readonly devfn: number;
  readonly vendor: number;
  readonly device: number;
}

function select(q: Qtest, devfn: number, offset: number): void {
  q.outl(CONFIG_ADDRESS, (0x80000000 | (devfn << 8) | (offset & 0xfc)) >>> 0);
}

/** Queues a 32-bit configuration read. */
export function configRead(q: Qtest, devfn: number, offset: number): Slot {
  select(q, devfn, offset);
  return q.inl(CONFIG_DATA);
}

/** Queues a 32-bit configuration write. */
export function configWrite(q: Qtest, devfn: number, offset: number, value: number): Slot {
  select(q, devfn, offset);
  return q.outl(CONFIG_DATA, value);
}

/** All functions of bus 0, in one round trip. */
export async function findFunctions(q: Qtest): Promise<PciFunction[]> {
  const slots: Slot[] = [];
  for (let devfn = 0; devfn < 256; devfn++) slots.push(configRead(q, devfn, 0));
  await q.flush();
  return slots
    .map((slot, devfn) => ({ devfn, vendor: q.u32(slot) & 0xffff, device: q.u32(slot) >>> 16 }))
    .filter((found) => found.vendor !== 0xffff);
}

/**
 * Gives a function's memory BAR 0 an address and switches on memory decoding and bus mastering.
 * @throws TargetError RF-QEMU-DEVICE if the function does not take the address (no such BAR, or misaligned).
 */
export async function enableFunction(q: Qtest, devfn: number, address: number): Promise<void> {
  configWrite(q, devfn, BAR0, address);
  configWrite(q, devfn, COMMAND, MEMORY_SPACE | BUS_MASTER);
  const taken = configRead(q, devfn, BAR0);
  await q.flush();
  const got = (q.u32(taken) & ~0xf) >>> 0;
  if (got !== address) {
    throw new TargetError(
      'RF-QEMU-DEVICE',
      `PCI function ${devfn} took BAR 0 at 0x${got.toString(16)}, not 0x${address.toString(16)}`,
    );
  }
}
