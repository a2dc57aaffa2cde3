/**
 * What a step answers. One 32-bit integer, so that the hot path allocates nothing:
 *   0 or nothing        the step is done, go on with the next one
 *   negative            the interface's own error code (GNTST_bad_handle is -4): the operation fails
 *   DISABLED            the operation cannot happen in this state: no transition. Only before any effect.
 *   DONE                the operation succeeds here; the remaining steps are not taken
 *   AGAIN               the step waits: under `split` it is tried again later, under `whole` it disables the operation. Only before any effect.
 *   fail(code)          an error with a positive code (a VT-d fault reason)
 *   blockedBy(gate)     the attack arrived, and this gate stopped it
 *   jump                continue at a label (loops of the real code: a compare-and-exchange that lost)
 */

export const OK = 0;
export const DISABLED = 0x10000;
export const DONE = 0x10001;
export const AGAIN = 0x10002;

const GATE = 0x20000;
const POSITIVE = 0x30000;
const JUMP = 0x40000;

/** The operation fails with a positive error code, 1 to 0xffff. */
export function fail(code: number): number {
  return POSITIVE + code;
}

/** A mechanism that stops faults. Each can be switched off, to show that the check has teeth. */
export interface Gate {
  readonly name: string;
  readonly id: number;
}

const gates: Gate[] = [];

/** Declares a gate, or returns the one of that name. */
export function gate(name: string): Gate {
  const known = gates.find((g) => g.name === name);
  if (known) return known;
  const made = { name, id: gates.length };
  gates.push(made);
  return made;
}

/** All gates declared so far, by id. */
export function allGates(): readonly Gate[] {
  return gates;
}

/** The step's answer when `by` stopped the attack. */
export function blockedBy(by: Gate): number {
  return GATE + by.id;
}

const labels: string[] = [];

/** A jump to the step of that name in the same operation. Make it once, outside the step. */
export function jumpTo(step: string): number {
  let id = labels.indexOf(step);
  if (id < 0) id = labels.push(step) - 1;
  return JUMP + id;
}

export function isJump(status: number): boolean {
  return status >= JUMP;
}

export function labelName(id: number): string {
  return labels[id] ?? '?';
}

export function jumpLabel(status: number): string {
  return labelName(status - JUMP);
}

export function labelCount(): number {
  return labels.length;
}

export function jumpId(status: number): number {
  return status - JUMP;
}

/** Whether an operation's final status is a failure (an error code, or a gate in the way). */
export function isFailure(status: number): boolean {
  return status < 0 || (status >= GATE && status < JUMP);
}

/** The gate in the way, or -1. */
export function gateOf(status: number): number {
  return status >= GATE && status < POSITIVE ? status - GATE : -1;
}

/** The status in words; `errors` names the interface's codes. */
export function statusName(status: number, errors: Readonly<Record<string, number>> = {}): string {
  if (status === OK || status === DONE) return 'ok';
  if (status === DISABLED) return 'disabled';
  if (status === AGAIN) return 'waits';
  if (gateOf(status) >= 0) return `blocked by ${gates[gateOf(status)]?.name ?? 'a gate'}`;
  const code = status >= POSITIVE ? status - POSITIVE : status;
  for (const name of Object.keys(errors)) if (errors[name] === code) return name;
  return `error ${code}`;
}

/** Outcome classes kept by the coverage counters of each operation. */
export const OUTCOMES = 1024;
/** First class of positive errors, and of gates; below are success (0) and negative errors (-code). */
export const POSITIVE_OUTCOMES = 256;
export const GATE_OUTCOMES = 320;

/** A dense index of a final status: 0 ok, 1..255 negative errors, then 64 positive errors, then gates. */
export function outcomeIndex(status: number): number {
  if (status < 0) return Math.min(-status, POSITIVE_OUTCOMES - 1);
  if (status < GATE) return 0;
  if (status < POSITIVE) return GATE_OUTCOMES + Math.min(status - GATE, OUTCOMES - GATE_OUTCOMES - 1);
  return POSITIVE_OUTCOMES + ((status - POSITIVE) & 63);
}
