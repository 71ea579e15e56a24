/**
 *   alice             SBC             bob        metrics, read over HTTP
 *     | answered call  |--------------->|        calls, packets, times
 *     | refused call   |--------------->|        486: busy on both legs
 *     | no route       |                         404: only the inbound leg
 */
import { expect, test } from 'vitest';
import {
  aliceCallsBob,
  audioBothWays,
  callRecords,
  expectNothingLeft,
  finish,
  openCallStage,
  plainOffer,
} from '../support/call-stage.ts';
import type { CallStage } from '../support/call-stage.ts';
import { checkLeaksAfterEach } from '../support/leak-check.ts';

checkLeaksAfterEach();

/** All samples of /metrics by name with labels. */
async function scrape({ running }: CallStage): Promise<Map<string, number>> {
  const response = await fetch(`http://127.0.0.1:${running.api.port}/metrics`);
  const text = await response.text();
  const samples = text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line): [string, number] => {
      const space = line.lastIndexOf(' ');
      return [line.slice(0, space), Number(line.slice(space + 1))];
    });
  return new Map(samples);
}

test('the metrics say what was called, answered, refused and carried', async () => {
  const stage = await openCallStage({
    edit: (yaml) => yaml.replace('{ from-realm: access, to: "*"', '{ from-realm: access, to: "5"'),
  });
  const { alice, bob, running } = stage;

  const call = await aliceCallsBob(stage);
  await audioBothWays(call, 5);
  const during = await scrape(stage);
  await finish(call);
  const busy = alice.sip.invite({ to: '5', via: running.access, body: plainOffer(alice.sip) });
  (await bob.sip.nextCall()).reject(486);
  await busy.finished();
  const lost = alice.sip.invite({ to: '9', via: running.access, body: plainOffer(alice.sip) });
  await lost.finished();
  await expectNothingLeft(running);
  // An answer counts when the engine says that it left, which may be after its arrival.
  const refused = 'sbc_sip_requests_total{direction="inbound",method="INVITE",code="404"}';
  await expect.poll(async () => (await scrape(stage)).get(refused), { timeout: 20_000 }).toBe(1);
  const after = await scrape(stage);

  expect(during.get('sbc_calls_active{realm="access",direction="inbound"}')).toBe(1);
  expect(during.get('sbc_calls_active{realm="core",direction="outbound"}')).toBe(1);
  expect(during.get('sbc_media_ports_free{pool="core"}')).toBe(39);
  for (const realm of ['access', 'core']) {
    expect(
      during.get(`sbc_rtp_packets_total{realm="${realm}",direction="inbound"}`),
    ).toBeGreaterThan(4);
    expect(
      during.get(`sbc_rtp_packets_total{realm="${realm}",direction="outbound"}`),
    ).toBeGreaterThan(4);
  }
  expect(
    Object.fromEntries([...after].filter(([name]) => /^sbc_(calls|sip_requests)/.test(name))),
  ).toEqual({
    'sbc_calls_active{realm="access",direction="inbound"}': 0,
    'sbc_calls_active{realm="core",direction="outbound"}': 0,
    'sbc_calls_total{agent="carrier",direction="outbound",result="answered"}': 1,
    'sbc_calls_total{agent="carrier",direction="outbound",result="busy"}': 1,
    'sbc_calls_total{agent="phone",direction="inbound",result="answered"}': 1,
    'sbc_calls_total{agent="phone",direction="inbound",result="busy"}': 1,
    'sbc_calls_total{agent="phone",direction="inbound",result="rejected"}': 1,
    'sbc_sip_requests_total{direction="inbound",method="INVITE",code="200"}': 1,
    'sbc_sip_requests_total{direction="inbound",method="INVITE",code="404"}': 1,
    'sbc_sip_requests_total{direction="inbound",method="INVITE",code="486"}': 1,
    'sbc_sip_requests_total{direction="inbound",method="BYE",code="200"}': 1,
    'sbc_sip_requests_total{direction="outbound",method="INVITE",code="200"}': 1,
    'sbc_sip_requests_total{direction="outbound",method="INVITE",code="486"}': 1,
    'sbc_sip_requests_total{direction="outbound",method="BYE",code="200"}': 1,
  });
  expect(after.get('sbc_post_dial_delay_seconds_count')).toBe(1);
  expect(after.get('sbc_call_duration_seconds_count')).toBe(1);
  const dropped = [...after].filter(([name]) => name.startsWith('sbc_sip_dropped_total'));
  expect(dropped.length).toBeGreaterThan(0);
  expect(new Set(dropped.map(([, count]) => count))).toEqual(new Set([0]));
  expect(after.get('sbc_bugs_total')).toBe(0);
  expect(after.get('sbc_kpml_subscriptions{role="notifier",state="active"}')).toBe(0);
  const { length } = call.alice.rtp.sent;
  expect(
    after.get('sbc_rtp_packets_total{realm="access",direction="inbound"}'),
  ).toBeLessThanOrEqual(length);
});

test('the CDR of an answered call', async () => {
  const stage = await openCallStage({ logLevel: 'error' });
  const { alice, bob } = stage;

  const call = await aliceCallsBob(stage);
  await call.alice.press('12');
  await call.bob.waitForDigits(2);
  await finish(call);

  const records = await callRecords(stage.running, 1);
  expect(records).toHaveLength(1);
  const [record] = records;
  expect(record).toMatchObject({
    version: 1,
    ingress: {
      agent: 'phone',
      realm: 'access',
      interface: 'access',
      remote: `127.0.0.2:${alice.sip.port}`,
      sipCallId: call.alice.dialog.callId,
      ruri: `sip:5551000@127.0.0.1:${stage.running.access.port}`,
      transport: 'udp',
      srtp: false,
    },
    egress: {
      agent: 'carrier',
      realm: 'core',
      interface: 'core',
      remote: `127.0.0.3:${bob.sip.port}`,
      sipCallId: call.bob.dialog.callId,
      ruri: `sip:5551000@127.0.0.3:${bob.sip.port}`,
      transport: 'udp',
      srtp: false,
    },
    attempts: [{ agent: 'carrier', code: 200, reason: 'OK' }],
    numbers: { calledIn: '5551000', calledOut: '5551000', callerIn: 'alice', callerOut: 'alice' },
    release: { side: 'caller', sipCode: 200, q850: 16, internalCode: 'hang-up' },
    dtmf: { ingressMethod: '2833', egressMethod: '2833', digitsIn: 2, digitsOut: 2, dropped: 0 },
  });
  expect(record?.ingress.from).toContain('alice@127.0.0.2');
  expect(record?.egress?.from).toContain('alice@127.0.0.4');
  expect(record?.durations.bill).toBeGreaterThan(0);
  expect(record?.durations.pdd).toBeGreaterThanOrEqual(0);
  expect(record?.media?.perLeg.ingress?.packets).toBeGreaterThan(2);
  expect(record?.media?.perLeg.egress?.packets).toBeGreaterThan(2);
  const {
    invite = '',
    firstProgress = '',
    ringing = '',
    answer = '',
    end = '',
  } = record?.timestamps ?? {};
  const times = [invite, firstProgress, ringing, answer, end];
  expect(times.toSorted()).toEqual(times);
  expect(JSON.stringify(record)).not.toContain('"digits"');
});
