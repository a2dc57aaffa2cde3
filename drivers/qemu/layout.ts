// What a program on the real target sees: the memory map, the first state, and the shape of a step and of its observation.

import type { DmaRequest } from './edu.js';
import type { FaultReading } from './vtd.js';

export const FRAME_BYTES = 4096;
/** The interrupt window: memory writes here are interrupts. */
export const INTERRUPT_WINDOW = 0xfee00000;
/** BAR 0 of the two devices: what a peer-to-peer access aims at. */
export const DEVICE_BARS = [0xfea00000, 0xfeb00000] as const;

/** Where everything is in guest-physical memory. Tables and data are what programs see; the rest is the harness's. */
export interface MemoryMap {
  readonly invalidationQueue: number;
  readonly invalidationStatus: number;
  readonly bounce: readonly [number, number];
  /** Root, context and two second-level tables of the harness's own, used during `reset`. */
  readonly harnessTables: readonly [number, number, number, number];
  readonly tables: number;
  readonly tableFrames: number;
  /** 2 MiB aligned, so that a superpage can cover all data frames. */
  readonly data: number;
  readonly dataFrames: number;
}

export interface VtdTargetOptions {
  /** A QEMU binary; without it, `qemu-system-x86_64` on PATH. */
  readonly qemuPath?: string;
  /** False: the unit is there and set up, but translation stays off whatever a program does. The negative control. */
  readonly withIommu?: boolean;
  readonly tableFrames?: number;
  readonly dataFrames?: number;
  /** 39 or 48: the widest address the unit takes. */
  readonly addressBits?: 39 | 48;
  /** Longest silence of QEMU that counts as thinking. */
  readonly timeoutMs?: number;
}

/** A window of memory to look at after a step. */
export interface Watch {
  readonly address: number;
  readonly lengthBytes: number;
}

/** One device's DMA in a step. */
export interface StepDma extends DmaRequest {
  readonly device: 0 | 1;
}

/** What was seen after a step. Fault records are drained: each is reported once. */
export interface Observation extends FaultReading {
  /** For each invalidation queued for this step, in order: did it complete? */
  readonly invalidated: readonly boolean[];
  /** For each watch, in order. */
  readonly memory: readonly Buffer[];
}

/** What the devices had read by the end of a program, by the sink offsets of their requests. */
export interface Sinks {
  readonly sinks: readonly [Buffer, Buffer];
}

/** The byte that data frame `index` is filled with at reset: from 1 to 0x7e, so neither a device's pattern (0x80 up) nor an unused sink's. */
export function frameFill(index: number): number {
  return (index % 0x7e) + 1;
}

/** What a sink holds at reset, where nothing has been read. */
export const SINK_FILL = 0x7f;

/** The map for a number of table and data frames, each 1 to 512. */
export function memoryMap(tableFrames = 16, dataFrames = 8): MemoryMap {
  if (tableFrames < 1 || tableFrames > 512 || dataFrames < 1 || dataFrames > 512) {
    throw new RangeError('VtdTarget: tableFrames and dataFrames go from 1 to 512');
  }
  return {
    invalidationQueue: 0x100000,
    invalidationStatus: 0x101000,
    bounce: [0x102000, 0x103000],
    harnessTables: [0x104000, 0x105000, 0x106000, 0x107000],
    tables: 0x110000,
    tableFrames,
    data: 0x400000,
    dataFrames,
  };
}
