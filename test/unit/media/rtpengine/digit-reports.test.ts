/** Reports of digits on their way from a node to the listener of a stream. */

import { createSocket } from 'node:dgram';
import { expect, test } from 'vitest';
import { RtpengineEngine } from '../../../../src/media/rtpengine/rtpengine-engine.ts';
import { RtpengineNodes } from '../../../../src/media/rtpengine/rtpengine-nodes.ts';
import { FakeEngineNode } from '../../../support/fake-engine-node.ts';
import { freePorts } from '../../../support/free-ports.ts';
import { checkLeaksAfterEach, closeAfterTest } from '../../../support/leak-check.ts';
import { waitFor } from '../../../support/wait-for.ts';
import { RecordingListener, sampleLeg, sampleUpdate } from '../media-samples.ts';

checkLeaksAfterEach();

const LEG = { realm: 'core', address: '192.0.2.10', portMin: 2, portMax: 3 };

/** A phone without telephone-event, and a peer with it. */
const KPML = sampleUpdate(sampleLeg(4000, { event: undefined }), sampleLeg(5000), {
  caller: { mode: 'absorb', detect: false },
  callee: { mode: 'absorb', detect: true },
});

async function openBed(host: string) {
  const node = new FakeEngineNode();
  node.host = host;
  const dropped: string[] = [];
  const strangers: string[] = [];
  const [reportPort = 0] = await freePorts(1);
  const engine = await RtpengineEngine.open({
    nodes: new RtpengineNodes([node]),
    reports: [{ address: '127.0.0.1', port: reportPort, host }],
    onReportDropped: (reason) => dropped.push(reason),
    onStranger: (address) => strangers.push(address),
  });
  closeAfterTest(engine);
  const listener = new RecordingListener();
  const openStream = async (): Promise<void> => {
    const stream = await engine.openStream({
      streamId: 'c1:0',
      caller: LEG,
      callee: LEG,
      listener,
    });
    if (stream.type === 'failure') throw new Error(stream.reason);
    stream.update(KPML);
  };
  /** Reports a key of the callee from a loopback address. */
  const reporter = async (address: string): Promise<(event: number) => void> => {
    const socket = createSocket('udp4');
    await new Promise<void>((resolve) => {
      socket.bind(0, address, resolve);
    });
    closeAfterTest({ close: () => new Promise<void>((resolve) => void socket.close(resolve)) });
    return (event) => {
      const callid = node.asked[0]?.request['call-id'] ?? 'none';
      socket.send(reportOf(callid, event), reportPort, '127.0.0.1');
    };
  };
  return { node, dropped, strangers, listener, openStream, reporter };
}

function reportOf(callid: unknown, event: number): Buffer {
  const key = { source_tag: 'callee', event, duration: 80, timestamp: 1_795_356_550 };
  return Buffer.from(JSON.stringify({ type: 'DTMF', callid, ...key }));
}

test('a report that comes twice is one key', async () => {
  const { dropped, listener, openStream, reporter } = await openBed('127.0.0.1');
  await openStream();
  const report = await reporter('127.0.0.1');
  for (let event = 0; event < 16; event += 1) {
    report(event);
    report(event);
  }
  await waitFor('reports', () => listener.released.length + dropped.length === 32);
  // A machine that stalls between two reads makes two presses of one pair.
  expect(dropped.filter((reason) => reason === 'copy').length).toBeGreaterThan(8);
  expect(new Set(listener.released.map(({ digit }) => digit)).size).toBe(16);
});

test('a node is believed wherever it is asked now, and nowhere else', async () => {
  const { node, dropped, strangers, listener, openStream, reporter } = await openBed('localhost');
  node.address = undefined;
  await openStream();
  const [first, second] = [await reporter('127.0.0.2'), await reporter('127.0.0.3')];
  for (const count of [1, 2]) {
    first(1);
    await waitFor('stranger', () => dropped.length === count);
  }
  node.address = '127.0.0.2';
  first(2);
  await waitFor('digit', () => listener.released.length === 1);
  node.address = '127.0.0.3';
  second(3);
  await waitFor('digit', () => listener.released.length === 2);
  first(4);
  await waitFor('stranger', () => dropped.length === 3);
  expect(listener.released.map(({ digit }) => digit)).toEqual(['2', '3']);
  expect(dropped).toEqual(['stranger', 'stranger', 'stranger']);
  expect(strangers).toEqual(['127.0.0.2']);
});

test('strangers are worth a line only while there are calls', async () => {
  const { dropped, strangers, openStream, reporter } = await openBed('127.0.0.1');
  const stranger = await reporter('127.0.0.2');
  stranger(1);
  await waitFor('stranger', () => dropped.length === 1);
  expect(strangers).toEqual([]);
  await openStream();
  stranger(1);
  await waitFor('line', () => strangers.length === 1);
  expect(strangers).toEqual(['127.0.0.2']);
});

test('a flood from many addresses is worth a few lines', async () => {
  const { dropped, strangers, openStream, reporter } = await openBed('127.0.0.1');
  await openStream();
  for (let host = 2; host < 32; host += 1) (await reporter(`127.0.0.${host}`))(1);
  await waitFor('strangers', () => dropped.length === 30);
  expect(strangers).toHaveLength(16);
});
