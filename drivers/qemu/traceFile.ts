/** Trace files of programs on a real VT-d: the steps as data and in words, what they showed, and on which version. */
import { z } from 'zod';
import { BREAKAGES, CONTEXTS, type Step, stepName } from './program.js';

const small = z.int().min(0).max(4095);
const bit = z.union([z.literal(0), z.literal(1)]);
const right = z.union([z.literal(0), z.literal(1), z.literal(2), z.literal(3)]);
const someRight = z.union([z.literal(1), z.literal(2), z.literal(3)]);
const page = z.union([z.literal(0), z.literal(1), z.literal(2), z.literal(511), z.literal(512)]);
const frame = z.int().min(0).max(7);

const aim = z.discriminatedUnion('at', [
  z.strictObject({ at: z.literal('page'), page, straddle: z.boolean() }),
  z.strictObject({ at: z.literal('superpage'), page: z.int().min(1536).max(1542), straddle: z.boolean() }),
  z.strictObject({ at: z.literal('data frame'), frame }),
  z.strictObject({ at: z.literal('table frame'), frame: z.int().min(0).max(10) }),
  z.strictObject({ at: z.literal('top') }),
  z.strictObject({ at: z.literal('beyond'), bits: z.union([z.literal(39), z.literal(48)]) }),
  z.strictObject({ at: z.literal('peer device') }),
  z.strictObject({ at: z.literal('interrupt window') }),
]);
const global = { scope: z.literal('global') };
const domain = { scope: z.literal('domain'), space: bit };
const flush = z.union([
  z.strictObject({ cache: z.literal('context'), ...global }),
  z.strictObject({ cache: z.literal('context'), ...domain }),
  z.strictObject({
    ...{ cache: z.literal('context'), scope: z.literal('device'), space: bit, device: bit },
    functionMask: z.int().min(0).max(3),
  }),
  z.strictObject({ cache: z.literal('iotlb'), ...global }),
  z.strictObject({ cache: z.literal('iotlb'), ...domain }),
  z.strictObject({
    ...{ cache: z.literal('iotlb'), scope: z.literal('page'), space: bit, page: small },
    ...{ addressMask: z.int().min(0).max(18), leafOnly: z.boolean() },
  }),
]);

const dma = z.strictObject({
  ...{ do: z.literal('dma'), device: bit, direction: z.enum(['read', 'write']), aim },
  offset: z
    .int()
    .min(0)
    .max(4096 - 32),
});

/** One step, as a trace file holds it. */
export const stepSchema: z.ZodType<Step> = z.discriminatedUnion('do', [
  z.strictObject({ do: z.literal('map'), space: bit, page, frame, rights: someRight }),
  z.strictObject({ do: z.literal('unmap'), space: bit, page }),
  z.strictObject({ do: z.literal('superpage'), space: bit, rights: right, askew: z.boolean() }),
  z.strictObject({ do: z.literal('directory'), space: bit, region: bit, rights: right }),
  z.strictObject({ do: z.literal('attach'), device: bit, to: z.enum(CONTEXTS) }),
  z.strictObject({ do: z.literal('root'), entry: z.enum(['present', 'absent', 'reserved bit']) }),
  z.strictObject({ do: z.literal('break'), space: bit, page, how: z.enum(BREAKAGES) }),
  z.strictObject({ do: z.literal('invalidate'), by: z.enum(['queue', 'registers']), flush }),
  z.strictObject({ do: z.literal('translate'), on: z.boolean() }),
  z.strictObject({ do: z.literal('latch root') }),
  dma,
  z.strictObject({ do: z.literal('pair'), first: dma, second: dma }),
]);

export const LOCKSTEP_FORMAT = 'ringfence-lockstep';
const lockstepTrace = z.strictObject({
  format: z.literal(LOCKSTEP_FORMAT),
  version: z.literal(1),
  target: z.literal('qemu-vtd'),
  targetVersion: z.string().max(100),
  mechanism: z.string().max(1000),
  says: z.string().max(10_000),
  steps: z.array(stepSchema).min(1).max(1000),
  told: z.array(z.string().max(1000)),
});
export type LockstepTrace = Readonly<z.infer<typeof lockstepTrace>>;

/** Content of a trace file for a program. */
export function lockstepTraceOf(
  about: { readonly targetVersion: string; readonly mechanism: string; readonly says: string },
  steps: readonly Step[],
): LockstepTrace {
  const { targetVersion, mechanism, says } = about;
  const head = { format: LOCKSTEP_FORMAT, version: 1, target: 'qemu-vtd' } as const;
  return { ...head, targetVersion, mechanism, says, steps: [...steps], told: steps.map(stepName) };
}

/** The file's text. */
export function writeLockstepTrace(trace: LockstepTrace): string {
  return `${JSON.stringify(trace, undefined, 2)}\n`;
}

/**
 * Reads a trace file. @throws Error RF-TRACE-FORMAT with the first thing that is wrong.
 */
export function readLockstepTrace(text: string): LockstepTrace {
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch {
    throw new LockstepTraceError('RF-TRACE-JSON: the trace file is no JSON; give a file that `attack` has written');
  }
  const read = lockstepTrace.safeParse(data);
  if (read.success) return read.data;
  const [first] = read.error.issues;
  throw new LockstepTraceError(
    `RF-TRACE-FORMAT: the trace file is not a ${LOCKSTEP_FORMAT} of version 1: ${first?.path.join('.') ?? ''}: ${first?.message ?? ''}`,
  );
}

/** A trace file of a program that cannot be used. */
export class LockstepTraceError extends Error {}
