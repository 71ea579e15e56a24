/**
 *   alice, an agent that is called by UDP      SBC, agents alone        bob
 *     | INVITE by UDP, by TCP                   |                        |
 *     |---------------------------------------->|----------------------->|
 *     |                          486 each time  |                        |
 */
import { expect, test } from 'vitest';
import { callRecords, openCallStage, plainOffer } from '../support/call-stage.ts';
import { checkLeaksAfterEach, closeAfterTest } from '../support/leak-check.ts';
import { SipPeer } from '../support/sip-peer.ts';
import { statusOf } from '../support/sip-text.ts';

checkLeaksAfterEach();

test('an agent may send by TCP, as it must what is too large for a datagram', async () => {
  const logLines: string[] = [];
  const { alice, bob, running } = await openCallStage({
    // Connections of a peer come from this address, whatever it listens on.
    alice: { address: '127.0.0.1' },
    hidesTopology: false,
    logLines,
    edit: (yaml) => yaml.replaceAll('    admit: anyone\n', ''),
  });
  const tcp = closeAfterTest(await SipPeer.open({ address: alice.sip.address, transport: 'tcp' }));
  const stranger = closeAfterTest(await SipPeer.open({ address: '127.0.0.9' }));
  void (async () => {
    for (let call = 0; call < 2; call += 1) (await bob.sip.nextCall()).reject(486);
  })();

  const answers: (number | undefined)[] = [];
  for (const peer of [alice.sip, tcp, stranger]) {
    const body = plainOffer(peer);
    const final = await peer.invite({ to: '1', via: running.access, body }).finished();
    answers.push(statusOf(final));
  }

  expect(answers).toEqual([486, 486, 403]);
  const written = await callRecords(running, 3);
  // A call that had media is written a little later than one that was refused at once.
  const begun = ({ timestamps }: (typeof written)[number]): number => Date.parse(timestamps.invite);
  const records = written.toSorted((one, other) => begun(one) - begun(other));
  const callers = records.map(({ ingress }) => [ingress.agent, ingress.transport]);
  expect(callers).toEqual([
    ['phone', 'udp'],
    ['phone', 'tcp'],
    [undefined, 'udp'],
  ]);
  const lines: Record<string, unknown>[] = logLines.map((line) => JSON.parse(line));
  const ended = lines.filter(({ msg }) => msg === 'call ended');
  expect(ended).toMatchObject(
    records.slice(0, 2).map(({ callId, ingress, egress }) => ({
      callId,
      legA: ingress.sipCallId,
      legB: egress?.sipCallId,
      agent: 'phone',
      realm: 'access',
      calleeAgent: 'carrier',
      calleeRealm: 'core',
      cause: 'callee-refused',
    })),
  );
  const refused = lines.filter(({ msg }) => msg === 'call refused');
  expect(refused).toMatchObject([
    { legA: records[2]?.ingress.sipCallId, realm: 'access', cause: 'not-admitted' },
  ]);
});
