/**
 * The bus address that a microdriver's device is given: a value in an object of the driver, like any other that crosses between its halves.
 * Source: Ganapathy et al., "Microdrivers" (ASPLOS 2008), section on trust: no part restricts DMA; a value that the user half returns is
 * programmed into the device.
 *
 * State: the address in the device's registers, and whose value it is. With an IOMMU, buffers are mapped by the kernel's own mapping
 * interface (../../iommu), and what the registers name is looked up; without, it is the machine's address.
 */

import { frame } from '../../frames.js';
import type { Iommu } from '../../iommu/index.js';
import { device } from '../../iommu/index.js';
import { module, oneOf, ref, type State, table } from '../../kernel/index.js';

export const KERNELS = 0;
export const USERS = 1;

export const busAddressTables = {
  register: table([device], { address: ref(frame), from: oneOf('the kernel half', 'the user half') }),
};

export type BusAddress = Iommu & State<typeof busAddressTables>;

/** The first buffer of the driver, which its device was given when it was set up. */
export const FIRST_BUFFER = 2;

/** Scope: that of the IOMMU. */
export const busAddresses = module<BusAddress, typeof busAddressTables>('bus addresses', {
  tables: busAddressTables,
  operations: [],
  initial: (m) => {
    m.register.address.fill(FIRST_BUFFER);
  },
  map: (m) => [...m.register.address].map((f, v) => `device ${v}: register names frame ${f}`),
});
