import { beforeEach, describe, expect, test } from 'vitest';
import { CallLeg } from '../../../src/call/call-leg.ts';
import { CallMeter, MediaMeter } from '../../../src/call/call-meter.ts';
import type { Realm, SipInterface } from '../../../src/config/config.ts';
import { createLegCounters, type MediaCounters } from '../../../src/media/relay-counters.ts';
import { Metrics } from '../../../src/observe/metrics.ts';
import { loadConfig } from '../../../src/config/load.ts';

let metrics = new Metrics();
beforeEach(() => {
  metrics = new Metrics();
});

/** Samples whose name begins with `prefix`, without zeros. */
async function samples(prefix: string): Promise<string[]> {
  const lines = (await metrics.text()).split('\n');
  return lines.filter((line) => line.startsWith(prefix) && !line.endsWith(' 0'));
}

const loaded = loadConfig({
  file: 'test',
  env: {},
  text: `
realms:
  - { name: access, media: { address: 127.0.0.1, port-min: 20000, port-max: 20999 } }
  - { name: core, media: { address: 127.0.0.1, port-min: 21000, port-max: 21999 } }
sip-interfaces:
  - { name: access, realm: access, sip-ports: [ "udp/127.0.0.1:5060" ] }
  - { name: core, realm: core, sip-ports: [ "udp/127.0.0.1:5062" ] }
`,
});
if (loaded.type === 'invalid') throw new Error(JSON.stringify(loaded.problems));

function leg(side: 'caller' | 'callee', index: number): CallLeg {
  if (loaded.type === 'invalid') throw new Error('no configuration');
  const sipInterface: SipInterface | undefined = loaded.config.sipInterfaces[index];
  const realm: Realm | undefined = loaded.config.realms[index];
  if (sipInterface === undefined || realm === undefined) throw new Error('no leg');
  const remote = '192.0.2.1:5060';
  return new CallLeg({ side, sipInterface, realm, agent: undefined, remote, transport: 'udp' });
}

describe('legs', () => {
  test('are open while the call lives, the outbound one per attempt', async () => {
    const meter = new CallMeter(metrics, leg('caller', 0), 'call');
    meter.attemptStarted(leg('callee', 1));
    const during = await samples('sbc_calls_active');
    meter.attemptEnded('failed');
    meter.attemptStarted(leg('callee', 1));
    meter.ended('answered', 1500);

    expect(during).toEqual([
      'sbc_calls_active{realm="access",direction="inbound"} 1',
      'sbc_calls_active{realm="core",direction="outbound"} 1',
    ]);
    expect(await samples('sbc_calls_active')).toEqual([]);
    expect(await samples('sbc_calls_total')).toEqual([
      'sbc_calls_total{agent="none",direction="outbound",result="failed"} 1',
      'sbc_calls_total{agent="none",direction="outbound",result="answered"} 1',
      'sbc_calls_total{agent="none",direction="inbound",result="answered"} 1',
    ]);
    expect(await samples('sbc_call_duration_seconds_sum')).toEqual([
      'sbc_call_duration_seconds_sum 1.5',
    ]);
  });

  test('a call without attempt and answer counts its caller only', async () => {
    new CallMeter(metrics, leg('caller', 0), 'call').ended('rejected', undefined);
    expect(await samples('sbc_calls_total')).toEqual([
      'sbc_calls_total{agent="none",direction="inbound",result="rejected"} 1',
    ]);
    expect(await samples('sbc_call_duration_seconds_count')).toEqual([]);
  });

  test('the post-dial delay counts once', async () => {
    const meter = new CallMeter(metrics, leg('caller', 0), 'call');
    meter.progressed(undefined);
    meter.progressed(250);
    meter.progressed(900);
    expect(await samples('sbc_post_dial_delay_seconds_sum')).toEqual([
      'sbc_post_dial_delay_seconds_sum 0.25',
    ]);
  });
});

function reading(received: number, sent: number, strange: number): MediaCounters {
  const counters = { caller: createLegCounters(), callee: createLegCounters() };
  counters.caller.receivedPackets = received;
  counters.callee.sentPackets = sent;
  counters.caller.dropped['unknown-source'] = strange;
  return counters;
}

function counted(lost: number, callerMs: number, calleeMs = 0): MediaCounters {
  const counters = { caller: createLegCounters(), callee: createLegCounters() };
  counters.caller.lostPackets = lost;
  counters.caller.oneWayMs = callerMs;
  counters.callee.oneWayMs = calleeMs;
  return counters;
}

describe('one-way time and loss', () => {
  test('one-way time counts from the answer on', async () => {
    const meter = new MediaMeter(metrics, { caller: 'access', callee: 'core' });
    meter.read([counted(0, 3000)]);
    meter.answered();
    meter.read([counted(0, 4000)]);
    meter.answered();
    meter.read([counted(0, 4000)]);
    meter.read([counted(0, 5500), counted(0, 0, 1000)]);
    meter.read([counted(0, 5000)]);
    meter.read([counted(0, 7000, 0)]);
    expect(await samples('sbc_rtp_one_way_seconds_total')).toEqual([
      'sbc_rtp_one_way_seconds_total 3',
    ]);
  });

  test('a packet that comes late after all is not taken back, nor counted twice', async () => {
    const meter = new MediaMeter(metrics, { caller: 'access', callee: 'core' });
    for (const lost of [2, 5, 3, 5, 6]) meter.read([counted(lost, 0)]);
    expect(await samples('sbc_rtp_lost_packets_total')).toEqual(['sbc_rtp_lost_packets_total 6']);
  });
});

describe('packets', () => {
  test('each reading adds what came since the one before; a late one adds nothing', async () => {
    const meter = new MediaMeter(metrics, { caller: 'access', callee: 'core' });
    meter.read([reading(10, 9, 1)]);
    meter.read([reading(30, 29, 1), reading(5, 5, 0)]);
    meter.read([reading(20, 19, 1)]);
    meter.read([]);
    expect(await samples('sbc_rtp_packets_total')).toEqual([
      'sbc_rtp_packets_total{realm="access",direction="inbound"} 35',
      'sbc_rtp_packets_total{realm="core",direction="outbound"} 34',
    ]);
    expect(await samples('sbc_media_source_violations_total')).toEqual([
      'sbc_media_source_violations_total 1',
    ]);
  });
});
