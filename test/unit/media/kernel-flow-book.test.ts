import { describe, expect, test } from 'vitest';
import { type Batch, FlowBook, type FlowNews } from '../../../src/media/kernel/flow-book.ts';

const HOP = { address: '198.51.100.254', device: 'eth1' };
const OPTIONS = { table: 'tonebridge_00c0ffee', order: 'LE', leaseSeconds: 10 } as const;
const REFUSED = 'Error: Could not process rule: File exists\n';

function request(port: number): Parameters<FlowBook['want']>[0] {
  return {
    source: { address: '192.0.2.9', port: 4000 },
    receiver: { address: '192.0.2.1', port },
    sender: { address: '198.51.100.1', port: 30_000 },
    destination: { address: '203.0.113.5', port: 5000 },
    head: 0x8000,
    ssrc: 1,
  };
}

/** What nft lists of one map. */
function counted(id: number, packets: number): string {
  const bytes = packets * 200;
  return `counter packets ${packets} bytes ${bytes} : 0x${id.toString(16).padStart(8, '0')}\n`;
}

/** A book with its flows carried at 0 ms. */
function carrying(count: number): { book: FlowBook; ids: number[] } {
  const book = new FlowBook(OPTIONS, 0);
  const ids = Array.from({ length: count }, (_, index) => book.want(request(20_000 + 2 * index)));
  for (const id of ids) book.routed(id, HOP);
  while (book.carried < count) {
    expect(book.next(0)?.type).toBe('add');
    book.done('', 0);
  }
  return { book, ids };
}

function newsOf(book: FlowBook, answer: string, nowMs: number): readonly FlowNews[] {
  const result = book.done(answer, nowMs);
  if (result.type === 'broken') throw new Error(result.reason);
  return result.news;
}

describe('a flow', () => {
  test('is wanted, routed, added, counted and taken out', () => {
    const book = new FlowBook(OPTIONS, 0);
    const id = book.want(request(20_000));
    expect(book.next(0)).toBeUndefined();
    expect(book.routed(id, HOP)).toEqual([]);
    expect(book.next(0)).toMatchObject({ type: 'add', ids: [id] });
    expect(book.next(0)).toBeUndefined();
    expect(newsOf(book, '', 1)).toEqual([{ type: 'carried', id }]);
    expect(book.next(1000)).toMatchObject({ type: 'read' });
    expect(newsOf(book, counted(id, 50), 1001)).toEqual([
      { type: 'counted', id, packets: 50, bytes: 8600 },
    ]);
    // That there was nothing is news as well.
    expect(book.next(2001)).toMatchObject({ type: 'read' });
    expect(newsOf(book, counted(id, 50), 2002)).toEqual([
      { type: 'counted', id, packets: 0, bytes: 0 },
    ]);
    expect(book.release(id)).toEqual([]);
    expect(book.next(2003)).toMatchObject({ type: 'remove', ids: [id] });
    expect(newsOf(book, counted(id, 51), 2004)).toEqual([
      { type: 'counted', id, packets: 1, bytes: 172 },
      { type: 'gone', id },
    ]);
    expect(book.size).toBe(0);
  });

  test.each<[string, (book: FlowBook, id: number) => FlowNews[]]>([
    ['has no way to its destination', (book, id) => book.routed(id, undefined)],
    ['is released before its way is known', (book, id) => book.release(id)],
    [
      'is released before nft hears of it',
      (book, id) => [...book.routed(id, HOP), ...book.release(id)],
    ],
  ])('that %s is gone without a word to nft', (_name, act) => {
    const book = new FlowBook(OPTIONS, 0);
    const id = book.want(request(20_000));
    expect(act(book, id)).toEqual([{ type: 'gone', id }]);
    expect(book.routed(id, HOP)).toEqual([]);
    expect(book.release(id)).toEqual([]);
    expect(book.next(0)).toBeUndefined();
  });

  test('that is released while it is added is taken out again', () => {
    const book = new FlowBook(OPTIONS, 0);
    const id = book.want(request(20_000));
    book.routed(id, HOP);
    expect(book.next(0)?.type).toBe('add');
    expect(book.release(id)).toEqual([]);
    expect(newsOf(book, '', 1)).toEqual([]);
    expect(book.next(1)).toMatchObject({ type: 'remove', ids: [id] });
    expect(newsOf(book, counted(id, 3), 2).at(-1)).toEqual({ type: 'gone', id });
  });

  test('that nft refuses does not take others with it', () => {
    const book = new FlowBook(OPTIONS, 0);
    const ids = [20_000, 20_002, 20_004].map((port) => book.want(request(port)));
    for (const id of ids) book.routed(id, HOP);
    expect(book.next(0)?.ids).toEqual(ids);
    expect(newsOf(book, REFUSED, 1)).toEqual([]);
    const outcomes: FlowNews[] = [];
    for (const answer of ['', REFUSED, '']) {
      expect(book.next(2)?.ids).toHaveLength(1);
      outcomes.push(...newsOf(book, answer, 2));
    }
    expect(outcomes.map(({ type }) => type)).toEqual(['carried', 'gone', 'carried']);
    // Together again afterwards.
    for (const port of [20_006, 20_008]) book.routed(book.want(request(port)), HOP);
    expect(book.next(3)?.ids).toHaveLength(2);
  });
});

describe('nft is told', () => {
  test('what leaves before anything else, then the lease, what comes, and counters', () => {
    const { book, ids } = carrying(2);
    const [first = 0] = ids;
    book.release(first);
    book.routed(book.want(request(20_100)), HOP);
    const types: (Batch['type'] | undefined)[] = [];
    for (let count = 0; count < 4; count++) {
      types.push(book.next(5000)?.type);
      book.done('', 5000);
    }
    expect(types).toEqual(['remove', 'renew', 'add', 'read']);
  });

  test('of many flows some at a time', () => {
    const { book, ids } = carrying(100);
    for (const id of ids) book.release(id);
    const sizes: number[] = [];
    while (book.size > 0) {
      sizes.push(book.next(1)?.ids.length ?? 0);
      book.done('', 1);
    }
    expect(sizes).toEqual([40, 40, 20]);
  });

  test('to renew the lease four times before it is over', () => {
    const { book } = carrying(0);
    const renewed: number[] = [];
    for (let nowMs = 0; nowMs <= 10_000; nowMs += 100) {
      if (book.next(nowMs)?.type !== 'renew') continue;
      renewed.push(nowMs);
      book.done('', nowMs);
    }
    expect(renewed).toEqual([2500, 5000, 7500, 10_000]);
  });

  test('to read each second, but no more than a twentieth of the time', () => {
    const { book } = carrying(10);
    let read = 0;
    let nowMs = 0;
    while (nowMs < 20_000) {
      const batch = book.next(nowMs);
      // Each batch takes 200 ms: a machine that is much too slow.
      if (batch !== undefined) nowMs += 200;
      else nowMs += 10;
      if (batch?.type === 'read') read += 1;
      if (batch !== undefined) book.done('', nowMs);
    }
    expect(read).toBeGreaterThan(2);
    expect(read).toBeLessThanOrEqual(6);
  });
});

describe('a table that contradicts', () => {
  test('is broken, and everything in it gone', () => {
    const { book, ids } = carrying(2);
    book.release(ids[0] ?? 0);
    expect(book.next(1)?.type).toBe('remove');
    expect(book.done('Error: No such file or directory\n', 2)).toEqual({
      type: 'broken',
      reason: 'No such file or directory',
    });
    expect(book.reset(2)).toEqual(ids.map((id) => ({ type: 'gone', id })));
    expect(book.size).toBe(0);
  });
});
