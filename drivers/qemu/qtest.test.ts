// The qtest client against a scripted peer: pairing of replies, asynchronous lines, and every way a peer can fail it.

import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import { TargetError } from './errors.js';
import { hex64, Qtest, type QtestPeer } from './qtest.js';

/** A peer whose replies the test writes. */
class Script extends EventEmitter implements QtestPeer {
  readonly written: string[] = [];
  private ended: ((why: TargetError) => void)[] = [];
  readonly socket = {
    on: (event: string, listener: (chunk: Buffer) => void) => this.on(event, listener),
    write: (text: string) => this.written.push(text) > 0,
  } as unknown as QtestPeer['socket'];
  onEnd(listener: (why: TargetError) => void): void {
    this.ended.push(listener);
  }
  say(text: string): void {
    this.emit('data', Buffer.from(text));
  }
  die(): void {
    for (const listener of this.ended) listener(new TargetError('RF-QEMU-DIED', 'gone'));
  }
}

const failure = async (promise: Promise<void>): Promise<string> => {
  try {
    await promise;
  } catch (error) {
    if (error instanceof TargetError) return error.code;
    throw error;
  }
  return 'none';
};

describe('qtest client', () => {
  it('sends a batch in one write and pairs replies across chunks and interrupt lines', async () => {
    const peer = new Script();
    const q = new Qtest(peer);
    const a = q.readl(0x10);
    q.writeq(0x20, 0x89abcdef, 0x1234567);
    const b = q.readq(0x30);
    const c = q.read(0x40, 3);
    const done = q.flush();
    expect(peer.written).toEqual(['readl 0x10\nwriteq 0x20 0x123456789abcdef\nreadq 0x30\nb64read 0x40 0x3\n']);
    peer.say('IRQ raise 3\nOK 0x00000000fffffff0\nOK\nOK 0x01');
    peer.say('23456789abcdef\nIRQ lower 3\nOK AQID\n');
    await done;
    expect(q.u32(a)).toBe(0xfffffff0);
    expect([q.hi(b), q.lo(b)]).toEqual([0x1234567, 0x89abcdef]);
    expect([...q.bytes(c)]).toEqual([1, 2, 3]);
    expect([q.requestCount, q.roundTrips]).toEqual([4, 1]);
  });

  it('writes 64-bit literals from halves of any sign', () => {
    expect(hex64(-1, 0)).toBe('0x0ffffffff');
    expect(hex64(1, -1)).toBe('0xffffffff00000001');
  });

  it('calls a peer that does not answer silent, and stays unusable', async () => {
    const q = new Qtest(new Script(), 20);
    q.readl(0);
    expect(await failure(q.flush())).toBe('RF-QEMU-SILENT');
    q.readl(0);
    expect(await failure(q.flush())).toBe('RF-QEMU-SILENT');
  });

  it('reports a death in mid-flush and before one', async () => {
    const peer = new Script();
    const q = new Qtest(peer);
    q.readl(0);
    const pending = failure(q.flush());
    peer.die();
    expect(await pending).toBe('RF-QEMU-DIED');
    q.readl(0);
    expect(await failure(q.flush())).toBe('RF-QEMU-DIED');
  });

  it('reports refusals and unasked answers as protocol errors', async () => {
    const peer = new Script();
    const q = new Qtest(peer);
    q.queue('nonsense');
    const pending = failure(q.flush());
    peer.say('FAIL Unknown command\n');
    expect(await pending).toBe('RF-QEMU-PROTOCOL');
    const other = new Script();
    const p = new Qtest(other);
    other.say('OK\n');
    p.readl(0);
    expect(await failure(p.flush())).toBe('RF-QEMU-PROTOCOL');
  });
});
