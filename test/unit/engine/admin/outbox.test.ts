import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Outbox } from '../../../../src/engine/admin/outbox.ts';
import type { OutgoingFrame } from '../../../../src/engine/admin/outbox.ts';

const SETTLE_MS = 20;

/** What a frame that opens `key` says. */
function opening(key: string): Partial<OutgoingFrame> {
  return { opens: { key, settleMs: SETTLE_MS } };
}

/** Plays turns of an event loop; each turn takes a tenth of a millisecond. */
class TurnClock {
  #nowMs = 0;
  #due: { atMs: number; callback: () => void }[] = [];

  nowMs(): number {
    return this.#nowMs;
  }

  soon(callback: () => void): void {
    this.#due.push({ atMs: this.#nowMs, callback });
  }

  later(callback: () => void, delayMs: number): void {
    this.#due.push({ atMs: this.#nowMs + delayMs, callback });
  }

  turn(): void {
    const ready = this.#due.filter((each) => each.atMs <= this.#nowMs);
    this.#due = this.#due.filter((each) => each.atMs > this.#nowMs);
    this.#nowMs += 0.1;
    for (const { callback } of ready) callback();
  }

  get isIdle(): boolean {
    return this.#due.length === 0;
  }
}

function setUp(): { outbox: Outbox; clock: TurnClock; written: { name: string; atMs: number }[] } {
  const clock = new TurnClock();
  const written: { name: string; atMs: number }[] = [];
  const outbox = new Outbox((bytes) => {
    written.push({ name: bytes.toString(), atMs: clock.nowMs() });
  }, clock);
  return { outbox, clock, written };
}

function frame(name: string, key: string, pace: Partial<OutgoingFrame> = {}): OutgoingFrame {
  return { bytes: Buffer.from(name), keys: [key], ...pace };
}

function run(clock: TurnClock): void {
  for (let turns = 0; turns < 10_000 && !clock.isIdle; turns += 1) clock.turn();
}

describe('Outbox', () => {
  test('writes one frame per turn', () => {
    const { outbox, clock, written } = setUp();
    for (const name of ['a', 'b', 'c']) outbox.push(frame(name, name));
    expect(written).toEqual([]);
    clock.turn();
    expect(written).toHaveLength(1);
    run(clock);
    expect(written.map((each) => each.name)).toEqual(['a', 'b', 'c']);
    expect(new Set(written.map((each) => each.atMs)).size).toBe(3);
  });

  test('holds a SUBSCRIBE until its dialog has settled; the ACK before it goes at once', () => {
    const { outbox, clock, written } = setUp();
    outbox.push(frame('ok', 'd1', opening('d1')));
    outbox.push(frame('ack', 'd1'));
    outbox.push(frame('subscribe', 'd1', { waitsFor: 'd1' }));
    run(clock);
    const [ok, ack, subscribe] = written;
    expect([ok?.name, ack?.name, subscribe?.name]).toEqual(['ok', 'ack', 'subscribe']);
    expect((ack?.atMs ?? 0) - (ok?.atMs ?? 0)).toBeLessThan(1);
    expect((subscribe?.atMs ?? 0) - (ok?.atMs ?? 0)).toBeGreaterThanOrEqual(SETTLE_MS);
  });

  test('lets it go as soon as the application has named the dialog', () => {
    const { outbox, clock, written } = setUp();
    outbox.push(frame('200', 'd1', opening('d1')));
    outbox.push(frame('notify', 'd1', { waitsFor: 'd1' }));
    for (let turns = 0; turns < 20; turns += 1) clock.turn();
    expect(written.map((each) => each.name)).toEqual(['200']);
    outbox.settle('other');
    outbox.settle('d1');
    for (let turns = 0; turns < 20; turns += 1) clock.turn();
    expect(written.map((each) => each.name)).toEqual(['200', 'notify']);
  });

  test('keeps the order of a dialog behind a waiting frame; other dialogs overtake', () => {
    const { outbox, clock, written } = setUp();
    outbox.push(frame('ok', 'd1', opening('d1')));
    outbox.push(frame('bye', 'd1', { waitsFor: 'd1' }));
    outbox.push(frame('late', 'd1'));
    outbox.push(frame('other', 'd2'));
    run(clock);
    expect(written.map((each) => each.name)).toEqual(['ok', 'other', 'bye', 'late']);
  });

  test('a frame may wait for one key and open another', () => {
    const { outbox, clock, written } = setUp();
    outbox.push(frame('sent', 't1', opening('t1')));
    outbox.push({
      bytes: Buffer.from('200'),
      keys: ['t1', 'd1'],
      waitsFor: 't1',
      ...opening('d1'),
    });
    outbox.push(frame('notify', 'd1', { waitsFor: 'd1' }));
    run(clock);
    const times = written.map((each) => each.atMs);
    expect(written.map((each) => each.name)).toEqual(['sent', '200', 'notify']);
    expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(SETTLE_MS);
    expect((times[2] ?? 0) - (times[1] ?? 0)).toBeGreaterThanOrEqual(SETTLE_MS);
  });

  test('a frame for a dialog opened long ago does not wait', () => {
    const { outbox, clock, written } = setUp();
    outbox.push(frame('ok', 'd1', opening('d1')));
    run(clock);
    for (let turns = 0; turns < 500; turns += 1) clock.turn();
    const pushedAtMs = clock.nowMs();
    outbox.push(frame('subscribe', 'd1', { waitsFor: 'd1' }));
    run(clock);
    expect((written[1]?.atMs ?? 0) - pushedAtMs).toBeLessThan(0.2);
  });

  test('once unpaced, everything of a turn goes in one write and in order', () => {
    const { outbox, clock, written } = setUp();
    outbox.unpace();
    outbox.push(frame('ok ', 't1', opening('t1')));
    outbox.push(frame('200 ', 't1', { waitsFor: 't1', ...opening('d1') }));
    outbox.push(frame('notify', 'd1', { waitsFor: 'd1' }));
    clock.turn();
    expect(written.map((each) => each.name)).toEqual(['ok 200 notify']);
    outbox.push(frame('bye', 'd1', { waitsFor: 'd1' }));
    run(clock);
    expect(written.map((each) => each.name)).toEqual(['ok 200 notify', 'bye']);
  });

  test('flush writes the rest at once; nothing comes after close', () => {
    const { outbox, clock, written } = setUp();
    outbox.push(frame('a', 'd1', opening('d1')));
    outbox.push(frame('b', 'd1', { waitsFor: 'd1' }));
    outbox.flush();
    outbox.push(frame('c', 'd1'));
    run(clock);
    expect(written.map((each) => each.name)).toEqual(['a', 'b']);
  });

  test('every frame is written once and frames of one key keep their order', () => {
    const anyFrame = fc.record({
      key: fc.constantFrom('d1', 'd2', 'd3'),
      pace: fc.constantFrom('plain', 'opens', 'waits'),
    });
    fc.assert(
      fc.property(fc.array(anyFrame, { maxLength: 20 }), (frames) => {
        const { outbox, clock, written } = setUp();
        for (const [index, { key, pace }] of frames.entries()) {
          const pacing =
            pace === 'plain' ? {} : pace === 'opens' ? opening(key) : { waitsFor: key };
          outbox.push(frame(`${key} ${index}`, key, pacing));
        }
        run(clock);
        expect(written).toHaveLength(frames.length);
        for (const key of ['d1', 'd2', 'd3']) {
          const numbers = written
            .map((each) => each.name.split(' '))
            .filter(([name]) => name === key)
            .map(([, index]) => Number(index));
          expect(numbers).toEqual(numbers.toSorted((one, other) => one - other));
        }
      }),
    );
  });
});
