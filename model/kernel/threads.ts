/**
 * Threads of execution under the schedule `split`: each running operation has a program counter and registers in the state, so that
 * other agents move between its steps.
 */
import { type CompiledOperation, UNDO } from './compile.js';
import { i32, table, u8 } from './layout.js';
import type { Machine } from './machine.js';
import { labelled } from './settle.js';
import { type Sort, sort } from './sort.js';
import { AGAIN, DISABLED, DONE, isJump, OK, OUTCOMES, outcomeIndex } from './status.js';

/** A thread of execution. */
export const thread = sort('thread');

/** A member of one sort, where agents of several sorts have threads and their numbers mean different ones. */
export interface SortMember {
  readonly sort: Sort;
  readonly member: number;
}

/** Whose thread it is: a member of whatever sort the operation's agent is of, a member of one sort, or a named single agent. */
export type ThreadAgent = number | string | SortMember;

/** Whether an operation of this agent may run on the agent's thread. */
export function runsOn(agent: ThreadAgent, of: Sort | string): boolean {
  if (typeof of === 'string') return agent === of;
  return typeof agent === 'object' ? agent.sort === of : typeof agent === 'number';
}

/** The agent's number, which `op.agent` is; 0 for a named one. */
export function numberOf(agent: ThreadAgent): number {
  if (typeof agent === 'object') return agent.member;
  return typeof agent === 'number' ? agent : 0;
}

/**
 * The kernel's own table: what each thread is doing.
 * @param failures whether operations may fail by choice
 */
export const threadTables = (registers: number, failures: boolean) => ({
  thread: table([thread], {
    /** Index of the running operation plus one; 0 when idle. */
    op: u8(),
    pc: u8(),
    /** Status that the operation will end with once its undo steps have run. */
    status: i32(),
    /** What `Machine.failuresSoFar` says of the running operation: which site fails, or has failed, is a matter of the whole operation. */
    ...(failures && { failures: u8() }),
    ...Object.fromEntries(Array.from({ length: registers }, (_, i) => [`r${i}`, i32()])),
  }),
});

export class Threads {
  private readonly op: Uint8Array;
  private readonly pc: Uint8Array;
  private readonly status: Int32Array;
  private readonly failures: Uint8Array;
  private readonly registers: readonly Int32Array[];
  /** Most failure sites that each step passed: operation index * UNDO + step. Grows with the operations seen. */
  private sitesOfStep = new Uint8Array(0);
  /** Operations that jumped back: their steps may be taken any number of times. */
  private looped = false;

  /**
   * @param views the table's arrays; undefined under the schedule `whole`
   * @param agents agent of each thread
   */
  constructor(
    views: Record<string, unknown> | undefined,
    private readonly agents: readonly ThreadAgent[],
    registers: number,
  ) {
    this.op = (views?.op as Uint8Array | undefined) ?? new Uint8Array(0);
    this.pc = (views?.pc as Uint8Array | undefined) ?? new Uint8Array(0);
    this.status = (views?.status as Int32Array | undefined) ?? new Int32Array(0);
    this.failures = (views?.failures as Uint8Array | undefined) ?? new Uint8Array(0);
    this.registers = Array.from(
      { length: registers },
      (_, i) => (views?.[`r${i}`] as Int32Array | undefined) ?? new Int32Array(0),
    );
  }

  /** Ends whatever the threads of this agent are doing. */
  kill(agent: number | string, of?: Sort): void {
    for (let t = 0; t < this.op.length; t++) if (this.isOf(t, agent, of)) this.clear(t);
  }

  /** Whether the thread is the agent's; a thread of a member of a sort is found by whoever names the sort. */
  private isOf(t: number, agent: number | string, of: Sort | undefined): boolean {
    const mine = this.agents[t];
    return typeof mine === 'object' ? mine.sort === of && mine.member === agent : mine === agent;
  }

  /** Whether a thread of this agent is in the middle of an operation. */
  isBusy(agent: number | string, of?: Sort): boolean {
    for (let t = 0; t < this.op.length; t++) if (this.op[t] !== 0 && this.isOf(t, agent, of)) return true;
    return false;
  }

  private clear(t: number): void {
    this.op[t] = 0;
    this.pc[t] = 0;
    this.status[t] = 0;
    if (this.failures.length > 0) this.failures[t] = 0;
    for (let r = 0; r < this.registers.length; r++) this.registers[r][t] = 0;
  }

  /** A bound on the failure sites that one split operation has passed. */
  get mostSites(): number {
    if (this.looped && this.sitesOfStep.some((n) => n > 0)) return Number.POSITIVE_INFINITY;
    let most = 0;
    for (let from = 0; from < this.sitesOfStep.length; from += UNDO) {
      const sum = this.sitesOfStep.subarray(from, from + UNDO).reduce((a, b) => a + b, 0);
      most = Math.max(most, sum);
    }
    return most;
  }

  /** Notes how many failure sites a step has passed. */
  private noteSites(at: number, sites: number): void {
    if (at >= this.sitesOfStep.length) {
      const larger = new Uint8Array((Math.floor(at / UNDO) + 1) * UNDO);
      larger.set(this.sitesOfStep);
      this.sitesOfStep = larger;
    }
    if (sites > this.sitesOfStep[at]) this.sitesOfStep[at] = sites;
  }

  /** Starts an operation on an idle thread of its agent (a choice), and takes its first step. */
  start(m: Machine, op: CompiledOperation): number {
    const t = m.choices.choose(thread, 'thread');
    if (this.op[t] !== 0) return DISABLED;
    const agent = this.agents[t];
    if (!runsOn(agent, op.op.agent)) return DISABLED;
    if (!op.bind(m, m.choices, op.call, numberOf(agent))) return DISABLED;
    this.op[t] = op.index + 1;
    const status = this.step(m, op, t);
    if (status === DISABLED) this.op[t] = 0;
    return status;
  }

  /** Takes the next step of a thread. */
  resume(m: Machine, t: number): number {
    const running = this.op[t];
    if (running === 0) return DISABLED;
    const op = m.operations[running - 1];
    m.current = op;
    op.call.agent = numberOf(this.agents[t]);
    for (let r = 0; r < op.registers.length; r++) op.call[op.registers[r]] = this.registers[r][t];
    if (this.failures.length > 0) m.resumeFailures(this.failures[t]);
    return this.step(m, op, t);
  }

  private step(m: Machine, op: CompiledOperation, t: number): number {
    const pc = this.pc[t];
    let status = OK;
    let nextPc: number;
    if (pc >= UNDO) {
      const j = pc - UNDO;
      m.currentStep = op.undoNames[j];
      op.undo[j]?.(m, op.call);
      status = this.status[t];
      nextPc = undoPc(op, j);
    } else {
      m.currentStep = op.stepNames[pc];
      const answer = op.steps[pc](m, op.call);
      if (m.sitesSoFar > 0) this.noteSites(op.index * UNDO + pc, m.sitesSoFar);
      if (answer === undefined || answer === OK) nextPc = pc + 1 < op.steps.length ? pc + 1 : -1;
      else if (answer === DISABLED || answer === AGAIN) return DISABLED;
      else if (answer === DONE) nextPc = -1;
      else if (isJump(answer)) {
        nextPc = labelled(op, answer);
        this.looped ||= nextPc <= pc;
      } else {
        status = answer;
        nextPc = op.hasUndo ? undoPc(op, pc) : -1;
      }
    }
    // A step may have ended its own thread: a domain that destroys itself.
    m.finished = nextPc < 0 || this.op[t] === 0;
    if (m.finished) {
      this.clear(t);
      m.outcomes[op.index * OUTCOMES + outcomeIndex(status)]++;
      return status;
    }
    this.pc[t] = nextPc;
    this.status[t] = status;
    if (this.failures.length > 0) this.failures[t] = m.failuresSoFar;
    for (let r = 0; r < op.registers.length; r++) this.registers[r][t] = op.call[op.registers[r]];
    return OK;
  }
}

/** Program counter of the next undo step below step `pc`, or -1. */
function undoPc(op: CompiledOperation, pc: number): number {
  for (let j = pc - 1; j >= 0; j--) if (op.undo[j]) return UNDO + j;
  return -1;
}
