import { createSocket } from 'node:dgram';
import { describe, expect, test } from 'vitest';
import type { MediaStream } from '../../../../src/media/media-engine.ts';
import { RtpengineEngine } from '../../../../src/media/rtpengine/rtpengine-engine.ts';
import { RtpengineNodes } from '../../../../src/media/rtpengine/rtpengine-nodes.ts';
import { FakeEngineNode } from '../../../support/fake-engine-node.ts';
import { freePorts } from '../../../support/free-ports.ts';
import { checkLeaksAfterEach, closeAfterTest } from '../../../support/leak-check.ts';
import { waitFor } from '../../../support/wait-for.ts';
import { RecordingListener, sampleLeg, sampleUpdate } from '../media-samples.ts';

checkLeaksAfterEach();

const LEG = { realm: 'core', address: '192.0.2.10', portMin: 2, portMax: 3 };

interface Bed {
  readonly engine: RtpengineEngine;
  readonly nodes: readonly FakeEngineNode[];
  readonly node: FakeEngineNode;
  readonly dropped: string[];
  readonly reportPort: number;
}

async function openBed(count = 1): Promise<Bed> {
  const nodes = Array.from({ length: count }, (_, index) => new FakeEngineNode(`node${index}`));
  const [node = new FakeEngineNode()] = nodes;
  const dropped: string[] = [];
  const [reportPort = 0] = await freePorts(1);
  const engine = await RtpengineEngine.open({
    nodes: new RtpengineNodes(nodes),
    graceMs: 50,
    reports: [{ address: '127.0.0.1', port: reportPort, host: '127.0.0.1' }],
    onReportDropped: (reason) => dropped.push(reason),
  });
  closeAfterTest(engine);
  return { engine, nodes, node, dropped, reportPort };
}

async function open(
  engine: RtpengineEngine,
  listener = new RecordingListener(),
): Promise<MediaStream> {
  const stream = await engine.openStream({ streamId: 'c1:0', caller: LEG, callee: LEG, listener });
  if (stream.type === 'failure') throw new Error(stream.reason);
  return stream;
}

/** A phone without telephone-event, and a peer with it. */
const KPML = sampleUpdate(sampleLeg(4000, { event: undefined }), sampleLeg(5000), {
  caller: { mode: 'absorb', detect: false },
  callee: { mode: 'absorb', detect: true },
});
const PLAIN = sampleUpdate(sampleLeg(4000), sampleLeg(5000));

/** Key # of the callee, as rtpengine reports it. */
function report(callid: unknown): Buffer {
  return Buffer.from(
    JSON.stringify({ type: 'DTMF', callid, source_tag: 'callee', event: 11, duration: 80 }),
  );
}

function flagsOf({ asked }: FakeEngineNode, command: string): unknown[] {
  return asked.filter((one) => one.command === command).map(({ request }) => request['flags']);
}

describe('opening', () => {
  test('gives both port pairs before anything is agreed', async () => {
    const { engine, node } = await openBed();
    const stream = await open(engine);
    expect(stream.local).toEqual({
      caller: { address: '192.0.2.50', rtpPort: 30_002, rtcpPort: 30_003 },
      callee: { address: '192.0.2.50', rtpPort: 30_000, rtcpPort: 30_001 },
    });
    expect(node.commands).toEqual(['offer', 'answer']);
    await stream.close();
    expect(node.commands.at(-1)).toBe('delete');
  });

  test.each([
    ['timeout', 'engine-down'],
    ['node-down', 'engine-down'],
    ['no-ports', 'no-ports'],
    ['overload', 'engine-refused'],
    ['bad-answer', 'engine-refused'],
    ['engine-error', 'engine-refused'],
  ] as const)('%s is the failure %s, and what may be left is deleted', async (reason, failure) => {
    const { engine, node } = await openBed();
    node.fail('answer', reason);
    const request = { streamId: 'c1:0', caller: LEG, callee: LEG };
    const outcome = await engine.openStream({ ...request, listener: new RecordingListener() });
    expect(outcome).toEqual({ type: 'failure', reason: failure });
    expect(node.commands).toEqual(['offer', 'answer', 'delete']);
    expect(engine.engineNodes.map(({ calls }) => calls)).toEqual([0]);
  });

  test('goes to the next node when one refuses', async () => {
    const { engine, nodes } = await openBed(2);
    nodes[0]?.fail('offer', 'overload');
    await open(engine);
    expect(nodes[1]?.commands).toEqual(['offer', 'answer']);
  });

  test('fails without a node that answers', async () => {
    const { engine, node } = await openBed();
    node.isUp = false;
    const request = { streamId: 'c1:0', caller: LEG, callee: LEG };
    expect(await engine.openStream({ ...request, listener: new RecordingListener() })).toEqual({
      type: 'failure',
      reason: 'engine-down',
    });
  });
});

describe('what was agreed', () => {
  test('is handed over once per update, the last one for certain', async () => {
    const { engine, node } = await openBed();
    const stream = await open(engine);
    node.delayMs = 5;
    for (const rtpPort of [4000, 4002, 4004, 4006]) {
      stream.update(sampleUpdate(sampleLeg(rtpPort), sampleLeg(5000)));
    }
    const lastOffer = () =>
      node.asked.findLast(({ command }) => command === 'offer')?.request['sdp'];
    await waitFor('last update', () => JSON.stringify(lastOffer()).includes('m=audio 4006 '));
    await stream.close();
    const offers = node.commands.filter((command) => command === 'offer');
    expect(offers.length).toBeLessThanOrEqual(4);
  });

  test('asks for digits in offer and answer where they need translation, and nowhere else', async () => {
    const { engine, node } = await openBed();
    const stream = await open(engine);
    stream.update(PLAIN);
    await waitFor('update', () => flagsOf(node, 'answer').length === 2);
    expect(flagsOf(node, 'offer').at(-1)).not.toContain('inject DTMF');
    stream.update(KPML);
    await waitFor('update', () => flagsOf(node, 'answer').length === 3);
    expect(flagsOf(node, 'offer').at(-1)).toContain('inject DTMF');
    expect(flagsOf(node, 'answer').at(-1)).toContain('inject DTMF');
    expect(node.asked.find(({ command }) => command === 'block')?.request['from-tag']).toBe(
      'callee',
    );
    stream.update(PLAIN);
    await waitFor('release', () => node.commands.includes('unblock'));
    expect(flagsOf(node, 'answer').at(-1)).toContain('inject DTMF');
  });

  test('is tried again when it is not answered', async () => {
    const { engine, node } = await openBed();
    const listener = new RecordingListener();
    const stream = await open(engine, listener);
    node.fail('answer', 'timeout');
    stream.update(PLAIN);
    await waitFor('second try', () => flagsOf(node, 'answer').length === 3);
    expect(listener.lostFor).toEqual([]);
  });

  test.each([
    ['ports that have moved', (node: FakeEngineNode) => (node.ports.caller = 30_010)],
    ['a refusal', (node: FakeEngineNode) => node.fail('offer', 'engine-error')],
    [
      'an engine that knows nothing of it',
      (node: FakeEngineNode) => node.fail('block', 'engine-error', 'Unknown call-id'),
    ],
  ])('%s: the stream is lost, once', async (_name, spoil) => {
    const { engine, node } = await openBed();
    const listener = new RecordingListener();
    const stream = await open(engine, listener);
    spoil(node);
    stream.update(KPML);
    await waitFor('loss', () => listener.lostFor.length > 0);
    stream.update(PLAIN);
    await stream.close();
    expect(listener.lostFor).toEqual(['engine-lost']);
    expect(engine.engineNodes.map(({ calls }) => calls)).toEqual([0]);
  });
});

test.each([
  ['in another second', (node: FakeEngineNode) => (node.created += 1)],
  ['by another offer', (node: FakeEngineNode) => (node.label = undefined)],
])(
  'a call that the engine has begun anew %s is lost, though its ports are the same',
  async (_name, change) => {
    const { engine, node } = await openBed();
    const listener = new RecordingListener();
    const stream = await open(engine, listener);
    stream.update(PLAIN);
    await waitFor('first look', () => node.commands.includes('query'));
    change(node);
    stream.update(KPML);
    await waitFor('loss', () => listener.lostFor.length > 0);
    expect(listener.lostFor).toEqual(['engine-lost']);
  },
);

describe('digits', () => {
  test('wait for their turn, and 128 of them at most', async () => {
    const { engine, node } = await openBed();
    node.packetsPerQuery = 10;
    const listener = new RecordingListener();
    const stream = await open(engine, listener);
    stream.update(KPML);
    for (let count = 0; count < 130; count += 1) {
      stream.playDigit('callee', { digitId: `d${count}`, eventCode: 5, durationMs: 100 });
    }
    expect(listener.dropped).toEqual([{ to: 'callee', digitId: 'd129', reason: 'queue-full' }]);
    await waitFor('first digit', () => listener.sent.length === 1);
    await stream.close();
    const played = node.asked.filter(({ command }) => command === 'play');
    expect(played[0]?.request).toMatchObject({ 'from-tag': 'caller', code: '5', duration: 100 });
    const [first] = listener.sent;
    expect((first?.endPacketAtMs ?? 0) - (first?.firstPacketAtMs ?? 0)).toBe(120);
    expect(listener.sent.length + listener.dropped.length).toBe(130);
    expect(listener.dropped.at(-1)?.reason).toBe('stream-closed');
  });

  test.each([
    ['a leg without telephone-event', KPML, 'caller', 5, 'event-not-negotiated'],
    ['a key the peer does not take', KPML, 'callee', 16, 'event-not-negotiated'],
    [
      'a leg on hold',
      sampleUpdate(sampleLeg(4000), sampleLeg(5000, { maySend: false })),
      'callee',
      5,
      'media-inactive',
    ],
  ] as const)('to %s are dropped', async (...[, update, to, eventCode, reason]) => {
    const { engine } = await openBed();
    const listener = new RecordingListener();
    const stream = await open(engine, listener);
    stream.update(update);
    stream.playDigit(to, { digitId: 'd', eventCode, durationMs: 100 });
    await waitFor('drop', () => listener.dropped.length === 1);
    expect(listener.dropped).toEqual([{ to, digitId: 'd', reason }]);
  });

  test('are not played twice when the order was not answered', async () => {
    const { engine, node } = await openBed();
    const listener = new RecordingListener();
    const stream = await open(engine, listener);
    stream.update(KPML);
    node.fail('play', 'timeout');
    stream.playDigit('callee', { digitId: 'd', eventCode: 5, durationMs: 100 });
    await waitFor('drop', () => listener.dropped.length === 1);
    expect(listener.dropped[0]?.reason).toBe('relay-restart');
    expect(node.commands.filter((command) => command === 'play')).toHaveLength(1);
  });

  test('are found by reports of the node, those of strangers and of no call are counted', async () => {
    const { engine, node, dropped, reportPort } = await openBed();
    const listener = new RecordingListener();
    const stream = await open(engine, listener);
    stream.update(KPML);
    const [friend, stranger] = [createSocket('udp4'), createSocket('udp4')];
    stranger.bind(0, '127.0.0.2');
    const engineCallId = node.asked[0]?.request['call-id'];
    await new Promise((resolve) => {
      stranger.send(report(engineCallId), reportPort, '127.0.0.1', resolve);
    });
    await waitFor('stranger', () => dropped.length === 1);
    friend.send(report('c1:0'), reportPort, '127.0.0.1');
    friend.send(Buffer.from('{'), reportPort, '127.0.0.1');
    friend.send(report(engineCallId), reportPort, '127.0.0.1');
    await waitFor('digit', () => listener.released.length === 1);
    friend.close();
    stranger.close();
    expect(dropped).toEqual(['stranger', 'unknown-call', 'malformed']);
    expect(listener.released[0]).toMatchObject({ side: 'callee', digit: '#', durationMs: 80 });
  });
});

test('counters are what the engine has counted from each side', async () => {
  const { engine, node } = await openBed();
  const stream = await open(engine);
  stream.update(PLAIN);
  node.packets = { caller: 100, callee: 50 };
  const { caller, callee } = await stream.close();
  expect(caller).toMatchObject({
    receivedPackets: 100,
    sentPackets: 50,
    receivedRtcpPackets: 2,
    source: '192.0.2.9:4000',
    isSourceLearnt: false,
  });
  expect(callee.dropped['unknown-source']).toBe(1);
});

test('a node that stays down has lost its streams, one that is back has not', async () => {
  const { engine, node } = await openBed();
  const listener = new RecordingListener();
  await open(engine, listener);
  node.isUp = false;
  node.isUp = true;
  await waitFor('look', () => node.commands.includes('query'));
  expect(listener.lostFor).toEqual([]);
  node.isUp = false;
  await waitFor('loss', () => listener.lostFor.length === 1);
});
