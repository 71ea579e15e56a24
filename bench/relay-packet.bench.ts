/**
 * What one packet costs in the relay's verdict, without sockets: forwarding as it is, with a mapped
 * payload type, with an offset in the sequence numbers, and finding the digit in one key press.
 */
import { Bench } from 'tinybench';
import { Relay } from '../src/media/relay.ts';
import type { LegMedia } from '../src/media/media-engine.ts';
import { DigitDetector } from '../src/dtmf/digit-detector.ts';
import { RTP_HEADER_BYTES, setRtpSequenceNumber, writeRtpHeader } from '../src/wire/rtp.ts';
import { TELEPHONE_EVENT_BYTES, writeTelephoneEvent } from '../src/wire/telephone-event.ts';

const CALLER = { address: '127.0.0.1', port: 4000 };
const PACKETS_PER_PRESS = 7;
const KEYPAD = Array.from({ length: 16 }, (_, code) => code);

function leg(port: number, payloadTypeMap: LegMedia['payloadTypeMap'] = []): LegMedia {
  return {
    remote: { address: '127.0.0.1', rtpPort: port, rtcpPort: port + 1 },
    mediaSource: 'sdp',
    maySend: true,
    audio: { payloadTypes: [0, 8], clockRate: 8000, packetTimeMs: 20 },
    event: { sendPayloadType: 101, receivePayloadTypes: [101], clockRate: 8000, events: KEYPAD },
    payloadTypeMap,
  };
}

function createRelay(payloadTypeMap: LegMedia['payloadTypeMap'] = []): Relay {
  const relay = new Relay(
    {
      random: () => 0.5,
      renameSource: (name) => name,
      inactivityTimeoutMs: 60_000,
      holdTimeoutMs: 3_600_000,
    },
    0,
  );
  const handling = { mode: 'relay', detect: true } as const;
  relay.update(
    {
      legs: { caller: leg(CALLER.port, payloadTypeMap), callee: leg(5000) },
      events: { caller: handling, callee: handling },
    },
    0,
  );
  return relay;
}

function audioPacket(): Buffer {
  const packet = Buffer.alloc(RTP_HEADER_BYTES + 160, 0x55);
  const header = { marker: false, payloadType: 0, sequenceNumber: 0, timestamp: 0, ssrc: 1 };
  writeRtpHeader(header, packet);
  return packet;
}

/** A function that sends the next audio packet through `relay`. */
function forwarding(relay: Relay): () => void {
  const packet = audioPacket();
  const header = Buffer.from(packet.subarray(0, RTP_HEADER_BYTES));
  let sequenceNumber = 0;
  let nowMs = 0;
  return () => {
    header.copy(packet);
    sequenceNumber = (sequenceNumber + 1) & 0xffff;
    nowMs += 20;
    setRtpSequenceNumber(packet, sequenceNumber);
    packet.writeUInt32BE((sequenceNumber * 160) >>> 0, 4);
    const verdict = relay.receiveRtp('caller', packet, CALLER, nowMs);
    if (verdict !== 'forward') throw new Error(verdict);
  };
}

/** A relay whose outgoing numbers are one behind for good: an event packet was absorbed. */
function createShiftedRelay(): Relay {
  const relay = createRelay();
  const packet = audioPacket();
  packet.writeUInt8(101, 1);
  relay.receiveRtp('caller', packet.subarray(0, RTP_HEADER_BYTES), CALLER, 0);
  return relay;
}

/** The payloads of one key press of 100 ms at 20 ms. */
function pressPayloads(): Buffer[] {
  return Array.from({ length: PACKETS_PER_PRESS }, (_, index) => {
    const payload = Buffer.alloc(TELEPHONE_EVENT_BYTES);
    const durationTicks = Math.min(index + 1, 5) * 160;
    writeTelephoneEvent({ code: 5, isEnd: index >= 4, volume: 10, durationTicks }, payload);
    return payload;
  });
}

/** A function that plays one press to a detector. */
function detecting(): () => void {
  const detector = new DigitDetector({ clockRate: 8000, repairMovedEnd: true, mergeWindowMs: 0 });
  const payloads = pressPayloads();
  let press = 0;
  return () => {
    press += 1;
    const rtpTimestamp = (press * 1280) >>> 0;
    let outputs = 0;
    for (const [index, payload] of payloads.entries()) {
      const sequenceNumber = (press * 8 + index) & 0xffff;
      const packet = { ssrc: 1, sequenceNumber, rtpTimestamp, marker: index === 0, payload };
      outputs += detector.receive(packet, press * 160 + index * 20).length;
    }
    if (outputs !== 2) throw new Error(`${outputs} outputs`);
  };
}

/** Calls per measurement, so that the clock's own cost does not show. */
const BATCH = 1000;

function repeated(call: () => void): () => void {
  return () => {
    for (let index = 0; index < BATCH; index++) call();
  };
}

function nanoseconds(batchMilliseconds: number): number {
  return Math.round((batchMilliseconds * 1e6) / BATCH);
}

const bench = new Bench({ time: 1000, warmupTime: 300 });
bench.add('audio packet, unchanged', repeated(forwarding(createRelay())));
bench.add('audio packet, payload type mapped', repeated(forwarding(createRelay([[0, 96]]))));
bench.add('audio packet, sequence number shifted', repeated(forwarding(createShiftedRelay())));
bench.add(`key press of ${PACKETS_PER_PRESS} packets, detected`, repeated(detecting()));
await bench.run();

console.table(
  bench.tasks.map((task) => {
    if (task.result.state !== 'completed') return { what: task.name, 'ns (median)': 'failed' };
    const { p50, p99 } = task.result.latency;
    return { what: task.name, 'ns (median)': nanoseconds(p50), 'ns (p99)': nanoseconds(p99) };
  }),
);
