// A client of QEMU's qtest protocol (docs/devel/testing/qtest in QEMU's sources): one text line a request, one line a reply, in order.
// Requests are queued and sent together by `flush`, because a round trip costs as much as some thirty requests. Replies are read
// by the slot that queueing returned, until the next flush.

import type { Socket } from 'node:net';
import { TargetError } from './errors.js';

/** The place of a queued request's reply, valid after the flush that sends it and until the next one. */
export type Slot = number;

/** The parts of a QEMU that the client needs; a test may stand in for them. */
export interface QtestPeer {
  readonly socket: Pick<Socket, 'on' | 'write'>;
  onEnd(listener: (why: TargetError) => void): void;
}

const hex = (value: number): string => `0x${value.toString(16)}`;

/** The hexadecimal literal of a 64-bit word given as two 32-bit halves (any sign). */
export function hex64(lo: number, hi: number): string {
  return `0x${(hi >>> 0).toString(16)}${(lo >>> 0).toString(16).padStart(8, '0')}`;
}

/** A pipelining qtest client. One user at a time: a second `flush` before the first has settled is refused. */
export class Qtest {
  private requests: string[] = [];
  private replies: string[] = [];
  private expected = 0;
  private partial = '';
  private sent: readonly string[] = [];
  private ended: TargetError | undefined;
  private settle: { resolve: () => void; reject: (why: TargetError) => void } | undefined;
  private timer: NodeJS.Timeout | undefined;
  /** Requests answered and round trips made so far: what the rates are computed from. */
  requestCount = 0;
  roundTrips = 0;

  /** @param timeoutMs how long one flush may take before QEMU counts as silent. */
  constructor(
    private readonly peer: QtestPeer,
    private readonly timeoutMs = 5_000,
  ) {
    peer.socket.on('data', (chunk: Buffer) => this.receive(chunk.toString('latin1')));
    peer.onEnd((why) => {
      this.ended = why;
      this.fail(why);
    });
  }

  /** Queues a raw request line. */
  queue(line: string): Slot {
    return this.requests.push(line) - 1;
  }
  outl(port: number, value: number): Slot {
    return this.queue(`outl ${hex(port)} ${hex(value >>> 0)}`);
  }
  inl(port: number): Slot {
    return this.queue(`inl ${hex(port)}`);
  }
  inb(port: number): Slot {
    return this.queue(`inb ${hex(port)}`);
  }
  outb(port: number, value: number): Slot {
    return this.queue(`outb ${hex(port)} ${hex(value & 0xff)}`);
  }
  readb(address: number): Slot {
    return this.queue(`readb ${hex(address)}`);
  }
  readw(address: number): Slot {
    return this.queue(`readw ${hex(address)}`);
  }
  readl(address: number): Slot {
    return this.queue(`readl ${hex(address)}`);
  }
  readq(address: number): Slot {
    return this.queue(`readq ${hex(address)}`);
  }
  writeb(address: number, value: number): Slot {
    return this.queue(`writeb ${hex(address)} ${hex(value & 0xff)}`);
  }
  writew(address: number, value: number): Slot {
    return this.queue(`writew ${hex(address)} ${hex(value & 0xffff)}`);
  }
  writel(address: number, value: number): Slot {
    return this.queue(`writel ${hex(address)} ${hex(value >>> 0)}`);
  }
  writeq(address: number, lo: number, hi: number): Slot {
    return this.queue(`writeq ${hex(address)} ${hex64(lo, hi)}`);
  }
  /** Queues a read of guest-physical memory; `bytes` gives the result. */
  read(address: number, lengthBytes: number): Slot {
    return this.queue(`b64read ${hex(address)} ${hex(lengthBytes)}`);
  }
  write(address: number, data: Uint8Array): Slot {
    const text = Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('hex');
    return this.queue(`write ${hex(address)} ${hex(data.byteLength)} 0x${text}`);
  }
  memset(address: number, lengthBytes: number, value: number): Slot {
    return this.queue(`memset ${hex(address)} ${hex(lengthBytes)} ${hex(value & 0xff)}`);
  }
  /** Queues an advance of the virtual clock. Only a QEMU that runs on the qtest accelerator knows this request. */
  clockStep(nanoseconds: number): Slot {
    return this.queue(`clock_step ${nanoseconds}`);
  }

  /**
   * Sends everything queued in one write and waits for all replies.
   * @throws TargetError RF-QEMU-DIED, RF-QEMU-SILENT after `timeoutMs`, RF-QEMU-PROTOCOL if a request was refused.
   */
  flush(): Promise<void> {
    if (this.settle !== undefined) throw new Error('Qtest.flush: the previous flush has not settled');
    if (this.ended !== undefined) return Promise.reject(this.ended);
    if (this.requests.length === 0) return Promise.resolve();
    const sent = this.requests;
    this.sent = sent;
    this.requests = [];
    this.replies = [];
    this.expected = sent.length;
    return new Promise((resolve, reject) => {
      this.settle = { resolve, reject };
      this.timer = setTimeout(
        () => this.fall('RF-QEMU-SILENT', `QEMU did not answer within ${this.timeoutMs} ms`),
        this.timeoutMs,
      );
      this.peer.socket.write(`${sent.join('\n')}\n`);
    });
  }

  /** The 32-bit reply of a slot, as an unsigned number. */
  u32(slot: Slot): number {
    return this.lo(slot);
  }
  /** The low half of a 64-bit reply. */
  lo(slot: Slot): number {
    return Number.parseInt(this.reply(slot).slice(-8), 16) >>> 0;
  }
  /** The high half of a 64-bit reply (`readq` answers with 16 digits). */
  hi(slot: Slot): number {
    const text = this.reply(slot);
    return text.length < 19 ? 0 : Number.parseInt(text.slice(-16, -8), 16) >>> 0;
  }
  /** The bytes that a `read` fetched. */
  bytes(slot: Slot): Buffer {
    return Buffer.from(this.reply(slot).slice(3), 'base64');
  }

  private reply(slot: Slot): string {
    const text = this.replies[slot];
    if (text === undefined) throw new Error(`Qtest: slot ${slot} is not of the last flush`);
    return text;
  }

  private receive(text: string): void {
    const lines = (this.partial + text).split('\n');
    this.partial = lines.pop() ?? '';
    for (const line of lines) {
      // Interrupts on intercepted lines are announced whenever they happen, between any two replies.
      if (line.startsWith('IRQ ')) continue;
      if (this.settle === undefined) {
        this.ended = new TargetError('RF-QEMU-PROTOCOL', `QEMU spoke without being asked: ${line.slice(0, 80)}`);
        return;
      }
      if (!line.startsWith('OK')) {
        const request = this.sent[this.replies.length] ?? '';
        this.fall('RF-QEMU-PROTOCOL', `QEMU answered "${line.slice(0, 80)}" to "${request.slice(0, 80)}"`);
        return;
      }
      this.replies.push(line);
      if (this.replies.length === this.expected) this.done();
    }
  }

  private done(): void {
    clearTimeout(this.timer);
    this.requestCount += this.expected;
    this.roundTrips++;
    const settle = this.settle;
    this.settle = undefined;
    settle?.resolve();
  }

  private fall(code: 'RF-QEMU-SILENT' | 'RF-QEMU-PROTOCOL', message: string): void {
    // Replies and requests no longer pair up: the connection is of no use any more.
    this.ended = new TargetError(code, message);
    this.fail(this.ended);
  }

  private fail(why: TargetError): void {
    clearTimeout(this.timer);
    const settle = this.settle;
    this.settle = undefined;
    settle?.reject(why);
  }
}
