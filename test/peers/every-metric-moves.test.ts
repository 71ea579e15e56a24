/**
 *   phone (KPML) ── access [SBC process] core ── trunk (2833), asked by OPTIONS
 *                              |
 *                              '── feature keys of 2001, capture by Homer
 *
 * One SBC, one thing after the other happens to it; after each the metrics that stand beside it have moved.
 */
import { expect, test } from 'vitest';
import { Metrics } from '../../src/observe/metrics.ts';
import { plainOffer } from '../support/call-stage.ts';
import { FeaturePhone } from '../support/feature-phone.ts';
import { checkLeaksAfterEach, closeAfterTest } from '../support/leak-check.ts';
import { MetricSamples } from '../support/metric-samples.ts';
import {
  begin,
  type Call,
  finish,
  LIMIT,
  type MetricStage,
  moved,
  moves,
  openMetricStage,
  refused,
  reload,
  STRANGER,
  strangerSends,
} from '../support/metric-stage.ts';
import { SipPeer } from '../support/sip-peer.ts';
import { sleep } from '../support/wait-for.ts';

checkLeaksAfterEach();

/** Silence takes its time twice: that of a call, and that of a session agent. */
const LIMIT_MS = 180_000;

/** Metrics that nothing from outside moves here, and where it is proven that they move. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  sbc_overloaded: 'call-that-finds-no-room-is-refused',
  sbc_overload_calls_per_second: 'call-that-finds-no-room-is-refused',
  sbc_media_info: 'media-goes-the-best-way-there-is',
  sbc_media_kernel_flows: 'kernel-carries-a-whole-call',
  sbc_rtpengine_up: 'sbc-shows-its-rtpengines',
  sbc_rtpengine_request_seconds: 'sbc-shows-its-rtpengines',
  sbc_rtpengine_requests_failed_total: 'unit/media/rtpengine/rtpengine-log',
  sbc_rtpengine_reports_dropped_total: 'sbc-shows-its-rtpengines',
  sbc_rtpengine_answers_dropped_total: 'unit/observe/rtpengine-metrics',
  sbc_worker_restarts_total: 'media-goes-on-behind-a-dead-relay-thread',
  sbc_engine_restarts_total: 'unit/observe/metrics',
  sbc_bugs_total: 'unit/observe/metrics',
  sbc_cdr_failures_total: 'unit/observe/metrics',
  sbc_cdr_lost_total: 'unit/observe/metrics',
  sbc_cdr_waiting: 'unit/observe/metrics',
  sbc_cdr_recovered_total: 'killed-sbc-leaves-no-call-without-record',
  sbc_dfks_notify_due: 'unit/observe/feature-metrics',
  sbc_dfks_loop_guard_total: 'unit/observe/feature-metrics',
};

async function calls(stage: MetricStage): Promise<void> {
  let call: Call | undefined;
  const active = [
    'sbc_calls_active{direction="inbound"}',
    'sbc_kpml_subscriptions{role="subscriber",state="active"}',
    'sbc_sip_requests_total{direction="inbound",method="INVITE",code="200"}',
    'sbc_kpml_gap_seconds_count',
    'sbc_post_dial_delay_seconds_count',
    'sbc_rtp_packets_total{realm="access",direction="inbound"}',
    'sbc_rtp_packets_total{realm="core",direction="outbound"}',
    'sbc_rtp_jitter_seconds_count',
    'sbc_hep_packets_total{type="sip",result="sent"}',
    'sbc_hep_packets_total{type="decision",result="sent"}',
  ];
  await moves(stage, 'a call', active, async () => {
    call = await begin(stage);
  });
  if (call === undefined) throw new Error('no call');
  const { caller, callee } = call;
  const ports = await MetricSamples.of(stage.url);
  expect(ports.sum('sbc_media_ports{pool="access"}')).toBe(1);
  expect(ports.sum('sbc_media_ports_free{pool="access"}')).toBe(0);
  for (const metric of ['sbc_media_ports', 'sbc_media_ports_free']) moved.add(metric);
  const delivered = [
    'sbc_dtmf_digits_total{from="notify",to="rtp",result="delivered"}',
    'sbc_dtmf_conversion_seconds_count',
    'sbc_hep_packets_total{type="digit",result="sent"}',
  ];
  await moves(stage, 'a key', delivered, async () => {
    await caller.press('5');
    await callee.waitForDigits(1);
  });
  const lost = [
    'sbc_dtmf_dropped_total{reason="no-subscription"}',
    'sbc_dtmf_digits_total{to="none"}',
  ];
  await moves(stage, 'a key for nobody', lost, () => callee.press('7'));
  const kept = [
    'sbc_agent_constraint_rejections_total{agent="phone",constraint="max-sessions"}',
    'sbc_admission_rejections_total{reason="agent-constraint"}',
    'sbc_calls_total{result="rejected"}',
  ];
  await moves(stage, 'a second call', kept, () => refused(stage));
  const oneWay = ['sbc_rtp_one_way_seconds_total', 'sbc_rtp_lost_packets_total'];
  await moves(stage, 'one side alone, with a hole', oneWay, async () => {
    callee.rtp.stopAudio();
    const last = caller.rtp.sent.at(-1);
    const packet = Buffer.alloc(172);
    packet[0] = 0x80;
    packet.writeUInt16BE(((last?.sequenceNumber ?? 0) + 30) & 0xffff, 2);
    packet.writeUInt32BE(((last?.timestamp ?? 0) + 30 * 160) >>> 0, 4);
    packet.writeUInt32BE(caller.rtp.ssrc, 8);
    caller.rtp.sendRaw(packet);
    await Promise.resolve();
  });
  const violations = 'sbc_media_source_violations_total';
  await moves(stage, 'a stranger', [violations], () =>
    strangerSends(stage, { caller, callee }, violations),
  );
  const ended = [
    'sbc_call_duration_seconds_count',
    'sbc_calls_total{agent="phone",direction="inbound",result="answered"}',
    'sbc_calls_total{agent="carrier",direction="outbound",result="answered"}',
    'sbc_sip_requests_total{direction="outbound",method="BYE",code="200"}',
    'sbc_cdr_written_total',
  ];
  await moves(stage, 'the end', ended, () => finish({ caller, callee }));
  await moves(stage, 'silence', ['sbc_media_timeouts_total'], async () => {
    const silent = await begin(stage);
    silent.caller.rtp.stopAudio();
    silent.callee.rtp.stopAudio();
    await silent.callee.waitForEnd();
  });
  const busy = 'sbc_sip_requests_total{direction="inbound",method="INVITE",code="486"}';
  await moves(stage, 'a refusal', ['sbc_calls_total{result="busy"}', busy], async () => {
    const attempt = refused(stage);
    (await stage.trunk.sip.nextCall()).reject(486);
    await attempt;
  });
}

async function sources(stage: MetricStage): Promise<void> {
  const stranger = closeAfterTest(await SipPeer.open({ user: 'stranger', address: STRANGER }));
  await moves(stage, 'a denied source', ['sbc_acl_denied_total{rule="denied"}'], async () => {
    const body = plainOffer(stranger);
    await stranger.invite({ to: '1', via: stage.access, body }).finished();
  });
  await moves(stage, 'a scanner', ['sbc_sip_dropped_total{reason="scanner"}'], async () => {
    const lines = [
      'OPTIONS sip:100@127.0.0.1 SIP/2.0',
      `Via: SIP/2.0/UDP ${STRANGER}:${stranger.port};branch=z9hG4bK-scan`,
      'From: <sip:100@127.0.0.1>;tag=1',
      'To: <sip:100@127.0.0.1>',
      'Call-ID: scan',
      'CSeq: 1 OPTIONS',
      'Max-Forwards: 70',
      'User-Agent: friendly-scanner',
      'Content-Length: 0',
    ];
    stranger.sendRaw(`${lines.join('\r\n')}\r\n\r\n`, stage.access);
    await Promise.resolve();
  });
}

async function reloads(stage: MetricStage): Promise<void> {
  const refusedOne = ['sbc_config_reloads_total{result="refused"}'];
  await moves(stage, 'a bad file', refusedOne, () => reload(stage, 'realms: nonsense'));
  const applied = ['sbc_config_reloads_total{result="applied"}'];
  await moves(stage, 'another file', applied, () =>
    reload(stage, stage.yaml.replace(`    ${LIMIT}\n`, '')),
  );
  const hash = /sbc_config_info\{hash="(\w+)"\} 1/g;
  const text = await (
    await fetch(`${stage.url}/metrics`, { headers: { connection: 'close' } })
  ).text();
  expect(text.match(hash)).toHaveLength(1);
  moved.add('sbc_config_info');
  const call = await begin(stage);
  await moves(
    stage,
    'a call too many for the ports',
    ['sbc_media_failures_total{reason="no-ports"}'],
    () => refused(stage),
  );
  await finish(call);
  await reload(stage, stage.yaml.replace(/^hep: .*\n/m, ''));
  const captured = (await MetricSamples.of(stage.url)).sum('sbc_hep_packets_total');
  await finish(await begin(stage));
  expect((await MetricSamples.of(stage.url)).sum('sbc_hep_packets_total')).toBe(captured);
}

async function features(stage: MetricStage): Promise<void> {
  const phone = closeAfterTest(await FeaturePhone.open({ sbc: stage.access }));
  const told = [
    'sbc_dfks_subscriptions',
    'sbc_dfks_subscribe_total{code="200"}',
    'sbc_dfks_notify_total{result="told"}',
    'sbc_dfks_provider_seconds_count{op="get",result="ok"}',
  ];
  await moves(stage, 'a subscription', told, async () => {
    await phone.subscribe();
  });
  await moves(stage, 'a change', ['sbc_dfks_updates_total{feature="DoNotDisturb"}'], async () => {
    await phone.setDnd(true);
  });
  const acted = ['sbc_dfks_calls_total{feature="DoNotDisturb",result="refused"}'];
  await moves(stage, 'a call to who wants none', acted, async () => {
    const { trunk, core } = stage;
    await trunk.sip.invite({ to: '2001', via: core, body: plainOffer(trunk.sip) }).finished();
  });
}

async function agents(stage: MetricStage): Promise<void> {
  const before = await MetricSamples.of(stage.url);
  expect(before.sum('sbc_agent_up{agent="carrier"}')).toBe(1);
  expect(before.sum('sbc_agent_options_rtt_seconds_count{agent="carrier"}')).toBeGreaterThan(0);
  moved.add('sbc_agent_options_rtt_seconds');
  const down = ['sbc_agent_state{agent="carrier",state="out-of-service"}'];
  await moves(stage, 'silence on OPTIONS', down, () => stage.trunk.close());
  const after = await MetricSamples.of(stage.url);
  expect(after.sum('sbc_agent_up{agent="carrier"}')).toBe(0);
  moved.add('sbc_agent_up');
  const without = stage.yaml
    .replaceAll(/ {2}- name: carrier\n(?: {4}.*\n)+/g, '')
    .replaceAll('next-hop: carrier', 'next-hop: phone');
  await reload(stage, without);
  const text = await (
    await fetch(`${stage.url}/metrics`, { headers: { connection: 'close' } })
  ).text();
  expect(text).not.toContain('"carrier"');
  expect(text).toContain('agent="phone"');
}

async function process(stage: MetricStage): Promise<void> {
  const always = ['sbc_event_loop_lag_seconds_count', 'sbc_heap_used_bytes'];
  await moves(stage, 'time', always, async () => {
    await sleep(50);
  });
  const { sum } = await MetricSamples.of(stage.url).then((samples) => ({
    sum: samples.sum('sbc_build_info'),
  }));
  expect(sum).toBe(1);
  moved.add('sbc_build_info');
}

test(
  'each metric moves by what its description says, and series of what is gone are gone',
  async () => {
    const stage = await openMetricStage();
    await calls(stage);
    await sources(stage);
    await features(stage);
    await reloads(stage);
    await process(stage);
    await agents(stage);
    const names = new Metrics().catalog().map(({ name }) => name);
    expect(names.filter((name) => !moved.has(name)).toSorted()).toEqual(
      Object.keys(ELSEWHERE).toSorted(),
    );
  },
  LIMIT_MS,
);
