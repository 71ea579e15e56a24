import { describe, expect, test } from 'vitest';
import { FIRST_REST_MS, MAX_REST_MS } from '../../../../src/media/rtpengine/node-rest.ts';
import type {
  EngineNode,
  EngineResult,
  EngineSdpResult,
} from '../../../../src/media/rtpengine/rtpengine-node.ts';
import { RtpengineNodes } from '../../../../src/media/rtpengine/rtpengine-nodes.ts';

/** A node that is there or is not. */
class Node implements EngineNode {
  readonly name: string;
  readonly host = '127.0.0.1';
  readonly address = '127.0.0.1';
  isUp = true;
  isClosed = false;

  constructor(name: string) {
    this.name = name;
  }

  readonly ping = refuse;
  readonly offer = refuse;
  readonly answer = refuse;
  readonly delete = refuse;
  readonly query = refuse;
  readonly playDtmf = refuse;
  readonly blockDtmf = refuse;
  readonly unblockDtmf = refuse;

  onChange(): () => void {
    return () => {};
  }

  async close(): Promise<void> {
    this.isClosed = true;
  }
}

async function refuse(): Promise<EngineResult & EngineSdpResult> {
  return { type: 'failed', reason: 'node-down', detail: '' };
}

interface Three {
  readonly a: Node;
  readonly b: Node;
  readonly c: Node;
  readonly nodes: RtpengineNodes;
  readonly clock: { nowMs: number };
}

function three(): Three {
  const [a, b, c] = [new Node('a'), new Node('b'), new Node('c')];
  const clock = { nowMs: 0 };
  return { a, b, c, clock, nodes: new RtpengineNodes([a, b, c], () => clock.nowMs) };
}

function placed(nodes: RtpengineNodes, ...calls: string[]): string {
  return calls.map((call) => nodes.assign(call)?.name ?? '-').join(' ');
}

test('new calls go to the node with the fewest', () => {
  const { nodes } = three();
  expect(placed(nodes, '1', '2', '3', '4', '5')).toBe('a b c a b');
  nodes.release('2');
  nodes.release('5');
  expect(placed(nodes, '6', '7')).toBe('b c');
  expect(nodes.views.map(({ calls }) => calls)).toEqual([2, 1, 2]);
});

test('calls one after the other take turns', () => {
  const { nodes } = three();
  const names = ['1', '2', '3', '4'].map((call) => {
    const name = placed(nodes, call);
    nodes.release(call);
    return name;
  });
  expect(names).toEqual(['a', 'b', 'c', 'a']);
});

test('a call stays on its node, even while that is down', () => {
  const { a, nodes } = three();
  placed(nodes, '1');
  a.isUp = false;
  expect(nodes.assign('1')).toBe(a);
  expect(nodes.nodeOf('1')).toBe(a);
});

test('new calls avoid a node that is down until it is back', () => {
  const { a, nodes } = three();
  a.isUp = false;
  expect(placed(nodes, '1', '2', '3')).toBe('b c b');
  a.isUp = true;
  expect(placed(nodes, '4', '5')).toBe('a c');
});

test('with every node down there is none', () => {
  const { a, b, c, nodes } = three();
  a.isUp = b.isUp = c.isUp = false;
  expect(nodes.assign('1')).toBeUndefined();
  expect(nodes.views.map(({ calls }) => calls)).toEqual([0, 0, 0]);
});

test('a call is moved off its node, and past those that refused it', () => {
  const { a, b, c, nodes } = three();
  expect(nodes.assign('1')).toBe(a);
  a.isUp = false;
  expect(nodes.move('1', [b])).toBe(c);
  expect(nodes.nodeOf('1')).toBe(c);
  expect(nodes.views.map(({ calls }) => calls)).toEqual([0, 0, 1]);
});

test('a call that cannot be moved stays where it is', () => {
  const { a, b, c, nodes } = three();
  expect(nodes.assign('1')).toBe(a);
  b.isUp = c.isUp = false;
  expect(nodes.move('1')).toBeUndefined();
  expect(nodes.nodeOf('1')).toBe(a);
});

test('a drained node keeps its calls and gets no new ones', () => {
  const { a, nodes } = three();
  expect(nodes.assign('1')).toBe(a);
  expect(nodes.setDraining('a', true)).toBe(true);
  expect(placed(nodes, '1', '2', '3', '4')).toBe('a b c b');
  expect(nodes.views[0]).toEqual({
    name: 'a',
    isUp: true,
    isDraining: true,
    isResting: false,
    calls: 1,
  });
  nodes.setDraining('a', false);
  expect(placed(nodes, '5', '6')).toBe('a c');
  expect(nodes.setDraining('z', true)).toBe(false);
});

test('a call is released once', () => {
  const { nodes } = three();
  placed(nodes, '1', '2');
  nodes.release('1');
  nodes.release('1');
  nodes.release('unknown');
  expect(nodes.views.map(({ calls }) => calls)).toEqual([0, 1, 0]);
});

test('all nodes are closed with it', async () => {
  const { a, b, c, nodes } = three();
  await nodes.close();
  expect([a, b, c].every(({ isClosed }) => isClosed)).toBe(true);
});

/** Which of them rest. */
function resting(nodes: RtpengineNodes): string {
  return nodes.views.flatMap(({ name, isResting }) => (isResting ? [name] : [])).join(' ');
}

describe('a node that has refused a call', () => {
  test('rests for new calls, though it has the fewest', () => {
    const { a, clock, nodes } = three();
    nodes.refused(a);
    expect(placed(nodes, '1', '2', '3', '4')).toBe('b c b c');
    expect(resting(nodes)).toBe('a');
    clock.nowMs += FIRST_REST_MS;
    expect(resting(nodes)).toBe('');
    expect(placed(nodes, '5')).toBe('a');
  });

  test('rests longer each time, until it takes one', () => {
    const { a, clock, nodes } = three();
    const rests = (): number => {
      nodes.refused(a);
      const fromMs = clock.nowMs;
      while (resting(nodes) !== '') clock.nowMs += 1000;
      return clock.nowMs - fromMs;
    };
    expect([rests(), rests(), rests(), rests(), rests()]).toEqual([
      FIRST_REST_MS,
      2 * FIRST_REST_MS,
      4 * FIRST_REST_MS,
      MAX_REST_MS,
      MAX_REST_MS,
    ]);
    nodes.accepted(a);
    expect(rests()).toBe(FIRST_REST_MS);
  });

  test('rests no longer for calls that were asked for at the same time', () => {
    const { a, clock, nodes } = three();
    for (let call = 0; call < 10; call += 1) nodes.refused(a);
    clock.nowMs += FIRST_REST_MS;
    expect(resting(nodes)).toBe('');
  });

  test('is asked all the same when there is no other', () => {
    const { a, b, c, nodes } = three();
    nodes.refused(a);
    b.isUp = c.isUp = false;
    expect(placed(nodes, '1')).toBe('a');
    expect(nodes.move('1', [a])).toBeUndefined();
  });
});
