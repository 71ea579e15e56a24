import { describe, expect, test } from 'vitest';
import { EngineCall } from '../../../../src/media/rtpengine/engine-call.ts';
import { FakeEngineNode } from '../../../support/fake-engine-node.ts';
import { sampleLeg, sampleUpdate } from '../media-samples.ts';

const LEG = { realm: 'core', address: '192.0.2.10', portMin: 2, portMax: 3 };
const PLAIN = sampleUpdate(sampleLeg(4000), sampleLeg(5000));

interface Bed {
  readonly node: FakeEngineNode;
  readonly call: EngineCall;
  /** Each time its delete was owed: whether an offer may still come. */
  readonly owed: string[];
}

function bed(): Bed {
  const node = new FakeEngineNode();
  const owed: string[] = [];
  const call = new EngineCall({
    node,
    engineCallId: 'one',
    ports: { caller: LEG, callee: LEG },
    onOwed: (engineCallId, sureAtMs) => {
      owed.push(`${engineCallId} ${sureAtMs === undefined ? 'none' : 'late'}`);
    },
  });
  return { node, call, owed };
}

describe('the delete of a call is owed', () => {
  test.each([
    ['timeout', '', ['one none']],
    ['node-down', '', ['one none']],
    ['bad-answer', '', ['one none']],
    ['engine-error', 'busy', ['one none']],
    ['engine-error', 'Unknown call-id', []],
  ] as const)('when it comes to %s %s: %j', async (reason, detail, expected) => {
    const { node, call, owed } = bed();
    await call.open();
    node.fail('delete', reason, detail);
    await call.delete();
    expect(owed).toEqual(expected);
  });

  test('not when it is answered', async () => {
    const { call, owed } = bed();
    await call.open();
    await call.delete();
    expect(owed).toEqual([]);
  });

  test.each([
    ['timeout', ['one late']],
    ['bad-answer', ['one late']],
    ['no-ports', []],
  ] as const)('when the offer before it came to %s: %j', async (reason, expected) => {
    const { node, call, owed } = bed();
    node.fail('offer', reason);
    await call.open();
    await call.delete();
    expect(owed).toEqual(expected);
  });

  test.each([
    ['ok', ['one none']],
    ['timeout', ['one late']],
  ] as const)('when an offer is under way that comes to %s: %j', async (result, expected) => {
    const { node, call, owed } = bed();
    await call.open();
    if (result !== 'ok') node.fail('offer', result);
    node.delayMs = 5;
    const agreed = call.agree(PLAIN, false);
    await call.delete();
    expect((await agreed).type).toBe('failed');
    expect([...new Set(owed)]).toEqual(expected);
    expect(node.commands.filter((command) => command === 'answer')).toHaveLength(1);
  });

  test('and no offer follows it', async () => {
    const { node, call } = bed();
    await call.open();
    await call.delete();
    expect((await call.agree(PLAIN, false)).type).toBe('failed');
    expect(node.commands).toEqual(['offer', 'answer', 'delete']);
  });
});
