import { describe, expect, test } from 'vitest';
import type { MediaFailure, MediaStream } from '../../../../src/media/media-engine.ts';
import {
  type EngineRefusal,
  RtpengineEngine,
} from '../../../../src/media/rtpengine/rtpengine-engine.ts';
import { RtpengineNodes } from '../../../../src/media/rtpengine/rtpengine-nodes.ts';
import { FakeEngineNode } from '../../../support/fake-engine-node.ts';
import { checkLeaksAfterEach, closeAfterTest } from '../../../support/leak-check.ts';
import { waitFor } from '../../../support/wait-for.ts';
import { RecordingListener, sampleLeg, sampleUpdate } from '../media-samples.ts';

checkLeaksAfterEach();

const LEG = { realm: 'core', address: '192.0.2.10', portMin: 2, portMax: 3 };
const PLAIN = sampleUpdate(sampleLeg(4000), sampleLeg(5000));

interface Bed {
  readonly engine: RtpengineEngine;
  readonly refusals: EngineRefusal[];
}

async function openBed(nodes: readonly FakeEngineNode[]): Promise<Bed> {
  const refusals: EngineRefusal[] = [];
  const engine = await RtpengineEngine.open({
    nodes: new RtpengineNodes(nodes),
    graceMs: 50,
    onRefused: (refusal) => refusals.push(refusal),
  });
  return { engine: closeAfterTest(engine), refusals };
}

async function tryStream(
  engine: RtpengineEngine,
  streamId = 'c1:0',
  listener = new RecordingListener(),
): Promise<MediaStream | MediaFailure> {
  return await engine.openStream({ streamId, caller: LEG, callee: LEG, listener });
}

async function open(
  engine: RtpengineEngine,
  streamId?: string,
  listener?: RecordingListener,
): Promise<MediaStream> {
  const stream = await tryStream(engine, streamId, listener);
  if (stream.type === 'failure') throw new Error(stream.reason);
  return stream;
}

/** How often each call was deleted. */
function deletes({ asked }: FakeEngineNode): number {
  return asked.filter(({ command }) => command === 'delete').length;
}

describe('a call that is over', () => {
  test('is deleted again when its node was down, as soon as that is back', async () => {
    const node = new FakeEngineNode();
    const { engine } = await openBed([node]);
    const stream = await open(engine);
    node.isUp = false;
    node.fail('delete', 'node-down');
    await stream.close();
    expect(deletes(node)).toBe(1);
    node.isUp = true;
    await waitFor('second delete', () => deletes(node) === 2);
    const [first, second] = node.asked.filter(({ command }) => command === 'delete');
    expect(second?.request['call-id']).toBe(first?.request['call-id']);
  });

  test('is deleted again when the node answers everything but that', async () => {
    const node = new FakeEngineNode();
    const { engine } = await openBed([node]);
    const stream = await open(engine);
    node.fail('delete', 'timeout');
    await stream.close();
    expect(deletes(node)).toBe(1);
    await waitFor('second delete', () => deletes(node) === 2);
  });

  test('is deleted again when an offer to begin it may be on its way still', async () => {
    const node = new FakeEngineNode();
    const { engine } = await openBed([node]);
    node.fail('offer', 'timeout');
    expect((await tryStream(engine)).type).toBe('failure');
    await waitFor('second delete', () => deletes(node) === 2);
  });

  test('is tried to delete once more at the end', async () => {
    const node = new FakeEngineNode();
    const { engine } = await openBed([node]);
    await open(engine);
    node.fail('delete', 'timeout');
    await engine.close();
    expect(deletes(node)).toBe(2);
  });
});

test('a node that answers once more before its streams are given up keeps them', async () => {
  class Node extends FakeEngineNode {
    override async ping() {
      const answer = await super.ping();
      this.isUp = true;
      return answer;
    }
  }
  const node = new Node();
  const { engine } = await openBed([node]);
  const listener = new RecordingListener();
  await open(engine, 'c1:0', listener);
  node.isUp = false;
  await waitFor('look', () => node.commands.includes('query'));
  expect(node.isUp).toBe(true);
  expect(listener.lostFor).toEqual([]);
});

test('an update outlives a node that is down for a moment', async () => {
  const node = new FakeEngineNode();
  const { engine } = await openBed([node]);
  const listener = new RecordingListener();
  const stream = await open(engine, 'c1:0', listener);
  const tries = 6;
  for (let time = 0; time < tries; time += 1) node.fail('offer', 'node-down');
  stream.update(PLAIN);
  const offers = (): number => node.commands.filter((command) => command === 'offer').length;
  await waitFor('an update that is taken', () => offers() === 1 + tries + 1);
  await stream.close();
  expect(listener.lostFor).toEqual([]);
});

test('a node that refuses is left out of new calls, and says so', async () => {
  const [sick, well] = [new FakeEngineNode('sick'), new FakeEngineNode('well')];
  const { engine } = await openBed([sick, well]);
  sick.fail('offer', 'no-ports', 'Ran out of ports');
  for (const call of ['c1:0', 'c2:0', 'c3:0']) await open(engine, call);
  expect(sick.commands.filter((command) => command === 'offer')).toHaveLength(1);
  expect(engine.engineNodes).toEqual([
    { name: 'sick', isUp: true, calls: 0, isResting: true },
    { name: 'well', isUp: true, calls: 3 },
  ]);
});

test('the streams of a call are on one node, which has one call', async () => {
  const nodes = [new FakeEngineNode('one'), new FakeEngineNode('two')];
  const { engine } = await openBed(nodes);
  const [audio] = [await open(engine, 'c1:0'), await open(engine, 'c1:1')];
  await open(engine, 'c2:0');
  const calls = (): number[] => engine.engineNodes.map((node) => node.calls);
  expect(calls()).toEqual([1, 1]);
  await audio.close();
  expect(calls()).toEqual([1, 1]);
  await open(engine, 'c3:0');
  expect(calls()).toEqual([2, 1]);
});

describe('what a node gives as the reason is told', () => {
  test('when it takes no new call', async () => {
    const node = new FakeEngineNode();
    const { engine, refusals } = await openBed([node, new FakeEngineNode('other')]);
    node.fail('offer', 'engine-error', 'Unknown interface');
    await open(engine);
    const told = { callId: 'c1', node: 'node', reason: 'engine-error', isRestBegun: true };
    expect(refusals).toEqual([{ ...told, detail: 'Unknown interface' }]);
  });

  test('when it does not go on with one', async () => {
    const node = new FakeEngineNode();
    const { engine, refusals } = await openBed([node]);
    const stream = await open(engine);
    node.fail('offer', 'engine-error', 'Parsing failed');
    stream.update(PLAIN);
    await waitFor('refusal', () => refusals.length === 1);
    const told = { callId: 'c1', node: 'node', reason: 'engine-error', isRestBegun: false };
    expect(refusals).toEqual([{ ...told, detail: 'Parsing failed' }]);
  });

  test('when it does not know one', async () => {
    const node = new FakeEngineNode();
    const { engine, refusals } = await openBed([node]);
    const stream = await open(engine);
    node.fail('query', 'engine-error', 'Unknown call-id');
    await stream.counters();
    expect(refusals).toMatchObject([{ callId: 'c1', reason: 'gone' }]);
  });
});
