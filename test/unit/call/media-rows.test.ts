import { expect, test } from 'vitest';
import { MediaRows } from '../../../src/call/media-rows.ts';
import type { LegMedia, StreamUpdate } from '../../../src/media/media-engine.ts';
import { createCounters } from '../../../src/media/relay-counters.ts';

function start() {
  const rows: string[] = [];
  const said = new MediaRows((summary, side) => rows.push(`${side ?? 'call'}: ${summary}`));
  return { rows, said };
}

const local = (rtpPort: number) => ({ address: '192.0.2.1', rtpPort, rtcpPort: rtpPort + 1 });

function leg(address: string | undefined, maySend = true): LegMedia {
  const remote = address === undefined ? undefined : { address, rtpPort: 4000, rtcpPort: 4001 };
  const audio = { payloadTypes: [8], clockRate: 8000, packetTimeMs: 20 };
  return { remote, mediaSource: 'sdp', maySend, audio, event: undefined, payloadTypeMap: [] };
}

function update(caller: LegMedia, callee: LegMedia): StreamUpdate {
  const events = { mode: 'relay', detect: true } as const;
  return { legs: { caller, callee }, events: { caller: events, callee: events } };
}

test('a stream from its opening to its end', () => {
  const { rows, said } = start();
  said.opened({ caller: local(20_000), callee: local(20_002) });
  said.agreed(0, update(leg('192.0.2.7'), leg(undefined)));
  said.observed({ type: 'heard', side: 'caller', source: '192.0.2.7:4000' });
  said.observed({ type: 'learnt', side: 'callee', source: '198.51.100.9:1024' });
  said.observed({ type: 'one-way', from: 'caller' });
  said.observed({ type: 'both-ways' });
  said.silent(60_012);
  const counters = createCounters();
  Object.assign(counters.caller, { receivedPackets: 50, lostPackets: 2, jitterMs: 0.24 });
  Object.assign(counters.callee, { sentPackets: 48 });
  said.closed([counters]);
  expect(rows).toEqual([
    'call: stream 0 opened: 192.0.2.1:20000 towards the caller, 192.0.2.1:20002 towards the callee',
    'caller: stream 0: peer at 192.0.2.7:4000',
    'callee: stream 0: no peer',
    'caller: first packet from 192.0.2.7:4000',
    'callee: source locked to 198.51.100.9:1024, which is not where SDP says',
    'callee: one way: only the caller is heard',
    'call: no longer one way',
    'call: silence: no packet from either side for 60 s',
    'caller: stream 0 closed: 50 packets from the caller, 2 lost, jitter 0.2 ms; 0 sent to it',
    'callee: stream 0 closed: 0 packets from the callee, 0 lost, jitter 0.0 ms; 48 sent to it',
  ]);
});

test('what stays as it is through further offers is said once', () => {
  const { rows, said } = start();
  const talking = update(leg('192.0.2.7'), leg('2001:db8::8'));
  said.agreed(0, talking);
  said.observed({ type: 'heard', side: 'caller', source: '192.0.2.7:4000' });
  said.agreed(0, talking);
  said.observed({ type: 'heard', side: 'caller', source: '192.0.2.7:4000' });
  said.agreed(0, update(leg('192.0.2.7', false), leg('2001:db8::8')));
  said.agreed(0, talking);
  expect(rows).toEqual([
    'caller: stream 0: peer at 192.0.2.7:4000',
    'callee: stream 0: peer at [2001:db8::8]:4000',
    'caller: first packet from 192.0.2.7:4000',
    'caller: stream 0: peer at 192.0.2.7:4000, nothing is sent to it',
    'caller: stream 0: peer at 192.0.2.7:4000',
  ]);
});
