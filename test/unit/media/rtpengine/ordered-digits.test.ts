/** Digits that rtpengine was told to play: which of them count as sent, and what becomes of the others. */

import { createSocket } from 'node:dgram';
import { describe, expect, test } from 'vitest';
import type { MediaStream, SentDigit, StreamUpdate } from '../../../../src/media/media-engine.ts';
import { audioPackets } from '../../../../src/media/rtpengine/ordered-digits.ts';
import { RtpengineEngine } from '../../../../src/media/rtpengine/rtpengine-engine.ts';
import { RtpengineNodes } from '../../../../src/media/rtpengine/rtpengine-nodes.ts';
import { FakeEngineNode } from '../../../support/fake-engine-node.ts';
import { freePorts } from '../../../support/free-ports.ts';
import { checkLeaksAfterEach, closeAfterTest } from '../../../support/leak-check.ts';
import { waitFor } from '../../../support/wait-for.ts';
import { KEYPAD, RecordingListener, sampleLeg, sampleUpdate } from '../media-samples.ts';

checkLeaksAfterEach();

const LEG = { realm: 'core', address: '192.0.2.10', portMin: 2, portMax: 3 };
const HELD_BACK = {
  caller: { mode: 'absorb', detect: false },
  callee: { mode: 'absorb', detect: true },
} as const;

function eventOn(number: number) {
  return { sendPayloadType: number, receivePayloadTypes: [number], clockRate: 8000 };
}

/** A caller without telephone-event, a callee that wants it on `number`. */
function translated(number: number): StreamUpdate {
  const event = { ...eventOn(number), events: KEYPAD };
  const callee = sampleLeg(5000, { event });
  return sampleUpdate(sampleLeg(4000, { event: undefined }), callee, HELD_BACK);
}

interface Bed {
  readonly node: FakeEngineNode;
  readonly stream: MediaStream;
  readonly listener: RecordingListener;
  /** What the node was asked from the first `play` on; digits that count as sent in between. */
  readonly sincePlay: () => string[];
  readonly report: (eventCode: number, durationMs: number) => void;
}

async function openBed(update = translated(101)): Promise<Bed> {
  const node = new FakeEngineNode();
  const [reportPort = 0] = await freePorts(1);
  const engine = await RtpengineEngine.open({
    nodes: new RtpengineNodes([node]),
    reports: [{ address: '127.0.0.1', port: reportPort, host: '127.0.0.1' }],
  });
  closeAfterTest(engine);
  const listener = new (class extends RecordingListener {
    override digitSent(sent: SentDigit): void {
      super.digitSent(sent);
      node.asked.push({ command: 'sent', request: {} });
    }
  })();
  const stream = await engine.openStream({ streamId: 'c1:0', caller: LEG, callee: LEG, listener });
  if (stream.type === 'failure') throw new Error(stream.reason);
  stream.update(update);
  const sincePlay = (): string[] => {
    const { commands } = node;
    const news = commands.slice(commands.indexOf('play'));
    return news.filter((command) => command !== 'query');
  };
  const report = (eventCode: number, durationMs: number): void => {
    const callid = node.asked[0]?.request['call-id'];
    const said = { type: 'DTMF', callid, source_tag: 'caller', event: eventCode };
    const socket = createSocket('udp4');
    const text = JSON.stringify({ ...said, duration: durationMs });
    socket.send(text, reportPort, '127.0.0.1', () => void socket.close());
  };
  return { node, stream, listener, sincePlay, report };
}

function play({ stream }: Bed, digitId = 'd'): void {
  stream.playDigit('callee', { digitId, eventCode: 5, durationMs: 120 });
}

async function dropped({ listener, sincePlay }: Bed): Promise<string> {
  await waitFor('drop', () => listener.dropped.length > 0);
  expect(listener.sent).toEqual([]);
  return `${listener.dropped.map(({ reason }) => reason).join(' ')}: ${sincePlay().join(' ')}`;
}

describe('a digit is taken back and dropped', () => {
  test.each([
    ['when no audio comes to carry it', { packetsPerQuery: 0 }],
    ['when nothing but comfort noise comes', { packetsPerQuery: 1, packetBytes: 13 }],
  ])('%s', async (_name, change) => {
    const bed = await openBed();
    Object.assign(bed.node, change);
    play(bed);
    expect(await dropped(bed)).toBe('media-inactive: play block unblock');
    const block = bed.node.asked.findLast(({ command }) => command === 'block');
    expect(block?.request['from-tag']).toBe('caller');
  });

  test('when the audio comes from another source behind the order', async () => {
    const bed = await openBed();
    play(bed);
    await waitFor('order', () => bed.node.commands.includes('play'));
    bed.node.ssrc = 2;
    expect(await dropped(bed)).toBe('media-inactive: play block unblock');
  });
});

test('a digit that comes while another one waits for audio does not wait for longer', async () => {
  const bed = await openBed();
  play(bed, 'one');
  play(bed, 'two');
  await waitFor('drops', () => bed.listener.dropped.length === 2);
  const looks = bed.node.commands.slice(bed.node.commands.lastIndexOf('play'));
  const all = bed.node.commands.filter((command) => command === 'query');
  expect(looks.filter((command) => command === 'query').length).toBeLessThan(all.length / 2);
});

test('a digit that waits a little for its audio is sent once it comes', async () => {
  const bed = await openBed();
  play(bed);
  await waitFor('order', () => bed.node.commands.includes('play'));
  bed.node.packetsPerQuery = 1;
  await waitFor('digit', () => bed.listener.sent.length === 1);
  expect(bed.sincePlay()).toEqual(['play', 'sent']);
  expect(bed.listener.dropped).toEqual([]);
});

test('a digit that is reported with no length is dropped: there is no coder for that audio', async () => {
  const bed = await openBed();
  bed.node.packetsPerQuery = 10;
  play(bed);
  await waitFor('order', () => bed.node.commands.includes('play'));
  bed.report(5, 0);
  expect(await dropped(bed)).toBe('media-inactive: play');
});

test('no digit is ordered into audio that has no fixed payload type', async () => {
  const { legs, events } = translated(101);
  const audio = { payloadTypes: [111], clockRate: 48_000, packetTimeMs: 20 };
  const bed = await openBed({ legs: { ...legs, caller: { ...legs.caller, audio } }, events });
  play(bed);
  await waitFor('drop', () => bed.listener.dropped.length === 1);
  expect(bed.listener.dropped[0]?.reason).toBe('media-inactive');
  expect(bed.node.commands).not.toContain('play');
});

test('another number is agreed on once the digit that sounds is over', async () => {
  const bed = await openBed();
  play(bed);
  await waitFor('order', () => bed.node.commands.includes('play'));
  bed.stream.update(translated(96));
  bed.node.packetsPerQuery = 10;
  await waitFor('answer', () => bed.sincePlay().includes('answer'));
  expect(bed.sincePlay().slice(0, 4)).toEqual(['play', 'sent', 'offer', 'answer']);
});

test('another number that cannot wait cuts the digit, which is dropped', async () => {
  const bed = await openBed();
  play(bed);
  await waitFor('order', () => bed.node.commands.includes('play'));
  bed.stream.update(translated(96));
  expect(await dropped(bed)).toBe('media-inactive: play offer answer block unblock');
});

test('behind another list of codecs a digit waits until rtpengine has forgotten the packets before', async () => {
  const { legs, events } = translated(101);
  const bed = await openBed({ legs, events });
  bed.node.packetsPerQuery = 10;
  play(bed, 'before');
  await waitFor('digit', () => bed.listener.sent.length === 1);
  const audio = { payloadTypes: [8], clockRate: 8000, packetTimeMs: 20 };
  const answers = () => bed.node.commands.filter((command) => command === 'answer').length;
  const answered = answers();
  bed.stream.update({ legs: { ...legs, caller: { ...legs.caller, audio } }, events });
  play(bed, 'behind');
  await waitFor('answer', () => answers() > answered);
  const startedAtMs = performance.now();
  await waitFor('order', () => bed.sincePlay().filter((one) => one === 'play').length === 2);
  expect(performance.now() - startedAtMs).toBeGreaterThan(300);
});

test('behind an event that was passed on, digits get a new coder', async () => {
  const bed = await openBed(sampleUpdate(sampleLeg(4000), sampleLeg(5000)));
  bed.node.packetsPerQuery = 10;
  bed.report(7, 200);
  await waitFor('press', () => bed.listener.released.length === 1);
  for (const digitId of ['one', 'two']) {
    play(bed, digitId);
    await waitFor('digit', () => bed.listener.sent.some((sent) => sent.digitId === digitId));
  }
  const commands = bed.node.commands.filter((command) => /play|block/.test(command));
  expect(commands).toEqual(['block', 'unblock', 'play', 'play']);
});

test('the side without telephone-event makes the offer, with a number that nobody uses', async () => {
  const { legs, events } = translated(101);
  const bed = await openBed({ legs: { caller: legs.callee, callee: legs.caller }, events });
  await waitFor('answer', () => bed.node.commands.lastIndexOf('answer') > 1);
  const [offer, answer] = ['offer', 'answer'].map((command) =>
    bed.node.asked.findLast((one) => one.command === command),
  );
  expect(offer?.request).toMatchObject({ 'from-tag': 'callee', 'to-tag': 'caller' });
  expect(offer?.request['sdp']).toContain('m=audio 4000 RTP/AVP 0 8 127 101\r\n');
  expect(answer?.request).toMatchObject({ 'from-tag': 'callee', 'to-tag': 'caller' });
  expect(answer?.request['sdp']).toContain('m=audio 5000 RTP/AVP 0 8 101\r\n');
  expect(bed.listener.lostFor).toEqual([]);
});

test.each([
  ['G.711', 6, 6 * 172, 6],
  ['G.729 of 10 ms', 6, 6 * 22, 6],
  ['comfort noise', 6, 6 * 13, 0],
  ['nothing', 0, 0, 0],
])('%s: what %i packets of %i octets carry', (_name, packets, bytes, expected) => {
  const before = { packets: 100, bytes: 17_200 };
  expect(audioPackets(before, { packets: 100 + packets, bytes: 17_200 + bytes })).toBe(expected);
});
