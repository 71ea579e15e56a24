/** Addresses in the answers of rtpengine, which peers would be told to send to. */

import { expect, test } from 'vitest';
import { EngineCall } from '../../../../src/media/rtpengine/engine-call.ts';
import { FakeEngineNode } from '../../../support/fake-engine-node.ts';
import { sampleLeg, sampleUpdate } from '../media-samples.ts';

const LEG = { realm: 'core', address: '192.0.2.10', portMin: 2, portMax: 3 };
const LEG6 = { ...LEG, address: '2001:db8::10' };

function callOn(node: FakeEngineNode, leg: typeof LEG): EngineCall {
  return new EngineCall({ node, engineCallId: 'c1:0~1', ports: { caller: leg, callee: leg } });
}

test.each([
  [LEG, 'IP4 engine.example'],
  [LEG, 'IP4 999.1.1.1'],
  [LEG, 'IP4 224.0.0.1'],
  [LEG, 'IP4 evil$host'],
  [LEG, 'IP4 0.0.0.0'],
  [LEG, 'IP6 2001:db8::50'],
  [LEG6, 'IP4 192.0.2.50'],
  [LEG6, 'IP6 ::'],
])('a call from %o is not opened at %s', async (leg, connection) => {
  const node = new FakeEngineNode();
  node.connection = connection;
  const call = callOn(node, leg);
  expect(await call.open()).toMatchObject({ type: 'failed', reason: 'bad-answer' });
  expect(call.local).toBeUndefined();
});

test('a call that is up does not move to one, and stays where it is when rtpengine hides its own', async () => {
  const node = new FakeEngineNode();
  const call = callOn(node, LEG);
  expect(await call.open()).toEqual({ type: 'ok' });
  const update = sampleUpdate(sampleLeg(4000), sampleLeg(5000));
  node.connection = 'IP4 engine.example';
  expect(await call.agree(update, false)).toMatchObject({ type: 'failed', reason: 'bad-answer' });
  node.connection = 'IP4 0.0.0.0';
  expect(await call.agree(update, false)).toEqual({ type: 'ok' });
  expect(call.local?.caller.address).toBe('192.0.2.50');
});
