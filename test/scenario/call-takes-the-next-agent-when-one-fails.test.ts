/**
 *   caller            SBC           dead       busy        bob
 *     | INVITE         | INVITE       |          |          |
 *     |--------------->|------------->|          |          |
 *     |                | INVITE               503|          |
 *     |                |------------------------>|          |
 *     |            200 | INVITE                         200 |
 *     |<---------------|----------------------------------->|
 */
import { expect, test } from 'vitest';
import {
  aliceCallsBob,
  callRecords,
  finish,
  openCallStage,
  plainOffer,
  shareSbcInFile,
} from '../support/call-stage.ts';
import type { CallStage, CallStageOptions } from '../support/call-stage.ts';
import { freePorts } from '../support/free-ports.ts';
import { KpmlListener } from '../support/kpml-sides.ts';
import { checkLeaksAfterEach, closeAfterTest } from '../support/leak-check.ts';
import { SipPeer } from '../support/sip-peer.ts';
import { buildSdp, readSdp } from '../support/sdp-text.ts';
import { statusOf } from '../support/sip-text.ts';
import { waitFor } from '../support/wait-for.ts';

shareSbcInFile();
checkLeaksAfterEach();

/** A stage whose calls from access hunt through `agents` and then bob. */
function openHunt(
  agents: readonly [name: string, port: number][],
  options: CallStageOptions = {},
): Promise<CallStage> {
  const lines = agents.map(
    ([name, port]) =>
      `  - { name: ${name}, realm: core, address: "127.0.0.3:${port}", transport: ${options.transport ?? 'udp'} }\n`,
  );
  const members = [...agents.map(([name]) => name), 'carrier'].join(', ');
  return openCallStage({
    ...options,
    edit: (yaml) =>
      yaml
        .replace('session-agents:\n', `session-agents:\n${lines.join('')}`)
        .replace(
          'local-policies:\n',
          `session-groups:\n  - { name: all, strategy: hunt, members: [ ${members} ] }\nlocal-policies:\n`,
        )
        .replace('to: "*", next-hop: carrier }', 'to: "*", next-hop: all }'),
  });
}

test.each(['udp', 'tcp'] as const)(
  'an agent that is not there and one that answers 503 are passed over (%s)',
  async (transport) => {
    const [deadPort = 0] = await freePorts(1, '127.0.0.3');
    const busy = closeAfterTest(await SipPeer.open({ address: '127.0.0.3', transport }));
    const stage = await openHunt(
      [
        ['dead', deadPort],
        ['busy', busy.port],
      ],
      { transport },
    );
    void busy.nextCall().then((incoming) => incoming.reject(503, { reason: 'Full' }));

    const call = await aliceCallsBob(stage);
    await finish(call);

    const [record] = await callRecords(stage.running, 1);
    expect(record?.attempts.map(({ agent, code }) => [agent, code])).toEqual([
      ['dead', 503],
      ['busy', 503],
      ['carrier', 200],
    ]);
    expect(record?.egress).toMatchObject({ agent: 'carrier', sipCallId: call.bob.dialog.callId });
    const metrics = await fetch(`http://127.0.0.1:${stage.running.api.port}/metrics`);
    const totals = (await metrics.text()).match(/^sbc_calls_total.*outbound.*$/gm);
    expect(totals).toEqual([
      'sbc_calls_total{agent="dead",direction="outbound",result="failed"} 1',
      'sbc_calls_total{agent="busy",direction="outbound",result="failed"} 1',
      'sbc_calls_total{agent="carrier",direction="outbound",result="answered"} 1',
    ]);
    expect(busy.incoming[0]?.dialog.callId).not.toBe(call.bob.dialog.callId);
  },
);

test('an agent that is busy with 486 is not passed over', async () => {
  const first = closeAfterTest(await SipPeer.open({ address: '127.0.0.3' }));
  const stage = await openHunt([['first', first.port]]);
  const { alice, bob, running } = stage;

  const outgoing = alice.sip.invite({ to: '1', via: running.access, body: plainOffer(alice.sip) });
  const incoming = await first.nextCall();
  incoming.reject(486);
  const final = await outgoing.finished();

  expect(statusOf(final)).toBe(486);
  expect(bob.sip.incoming).toEqual([]);
});

test('a caller that heard early media of the first agent keeps its port with the second', async () => {
  const first = closeAfterTest(await SipPeer.open({ address: '127.0.0.3' }));
  const stage = await openHunt([['first', first.port]]);
  const { alice, bob, running } = stage;

  const outgoing = alice.sip.invite({ to: '1', via: running.access, body: plainOffer(alice.sip) });
  const incoming = await first.nextCall();
  const oneCodec = buildSdp({ address: first.address, rtpPort: 40_000, payloadTypes: [0] });
  incoming.ring({ status: 183, body: oneCodec });
  const early = await outgoing.provisional(183);
  incoming.reject(500);
  const bobCall = await bob.answer();
  const dialog = await outgoing.answered();
  await dialog.bye();
  await bobCall.waitForEnd();

  const final = outgoing.final?.body ?? '';
  expect(line(final, /^m=audio \d+/m)).toBe(line(early.body, /^m=audio \d+/m));
  expect(line(final, /^o=\S+ \d+/m)).toBe(line(early.body, /^o=\S+ \d+/m));
  // Another description in the same session has a higher version (RFC 8866 §5.2).
  expect(readSdp(final).payloadTypes).not.toEqual(readSdp(early.body).payloadTypes);
  expect(readSdp(final).originVersion).toBe(readSdp(early.body).originVersion + 1);
});

test('no agent left: the caller gets the last refusal', async () => {
  const [deadPort = 0] = await freePorts(1, '127.0.0.3');
  const stage = await openHunt([['dead', deadPort]]);
  const { alice, bob, running } = stage;

  const outgoing = alice.sip.invite({ to: '1', via: running.access, body: plainOffer(alice.sip) });
  const incoming = await bob.sip.nextCall();
  incoming.reject(500, { reason: 'Broken' });
  const final = await outgoing.finished();

  expect(final.startLine).toBe('SIP/2.0 500 Broken');
  const [record] = await callRecords(running, 1);
  expect(record?.attempts.map(({ agent, code }) => [agent, code])).toEqual([
    ['dead', 503],
    ['carrier', 500],
  ]);
});

function line(body: string, start: RegExp): string | undefined {
  return start.exec(body)?.[0];
}

test('what the caller subscribed to while the first agent rang is served by the second', async () => {
  const first = closeAfterTest(await SipPeer.open({ address: '127.0.0.3' }));
  const stage = await openHunt([['first', first.port]], {
    access: { 'kpml-interworking': 'enabled' },
    core: { 'rfc2833-mode': 'preferred' },
  });
  const outgoing = stage.alice.sip.invite({
    to: '1',
    via: stage.running.access,
    headers: [['Allow-Events', 'kpml']],
    body: plainOffer(stage.alice.sip),
  });
  const ringing = await first.nextCall();
  ringing.ring();
  await outgoing.provisional(180);
  const listener = new KpmlListener(outgoing.dialog);
  const answer = await listener.subscribe();
  await waitFor('pending', () => listener.state.startsWith('pending'));
  ringing.reject(503);
  const incoming = await stage.bob.sip.nextCall();
  const body = buildSdp({ address: stage.bob.sip.address, rtpPort: 40_020, eventPayloadType: 101 });
  await incoming.answer({ body });
  await outgoing.answered();
  await waitFor('active', () => listener.state.startsWith('active'));
  await outgoing.dialog.bye();
  await incoming.dialog.waitForEnd();

  expect(statusOf(answer)).toBe(200);
  expect(outgoing.dialog.problems).toEqual([]);
});

test('an agent whose answer names no place for media is hung up and passed over', async () => {
  const first = closeAfterTest(await SipPeer.open({ address: '127.0.0.3' }));
  const stage = await openHunt([['first', first.port]]);
  const unusable = buildSdp({ address: '127.0.0.3', rtpPort: 40_000 });
  const release = async (): Promise<void> => {
    const incoming = await first.nextCall();
    await incoming.answer({ body: unusable.replace('c=IN IP4 127.0.0.3', 'c=IN IP4 media.test') });
    await incoming.dialog.waitForEnd();
  };

  const [call] = await Promise.all([aliceCallsBob(stage), release()]);
  await finish(call);

  const [record] = await callRecords(stage.running, 1);
  expect(record?.attempts.map(({ agent, code }) => [agent, code])).toEqual([
    ['first', 502],
    ['carrier', 200],
  ]);
});
