/**
 * Row B26: the first agent of a group has telephone-event and refuses the call, the next one speaks KPML. What is
 * offered, announced and translated follows from the leg that the call goes to now.
 *
 *   caller (2833)            SBC            first (2833)         second (KPML)
 *     | INVITE te             | INVITE te       |                     |
 *     |---------------------->|---------------->|                     |
 *     |                       |<----- 503 ------|                     |
 *     |                       | INVITE te kpml                        |
 *     |                       |-------------------------------------->|
 */

import { expect, test } from 'vitest';
import { ledgerLines } from '../support/digit-call.ts';
import { KpmlPhone } from '../support/kpml-phone.ts';
import { checkLeaksAfterEach, closeAfterTest } from '../support/leak-check.ts';
import { Rfc2833Trunk } from '../support/rfc2833-trunk.ts';
import { readSdp } from '../support/sdp-text.ts';
import { SipPeer } from '../support/sip-peer.ts';
import { headerTokens } from '../support/sip-text.ts';
import type { SipText } from '../support/sip-text.ts';
import { startLoopbackSbc } from '../support/start-sbc.ts';
import { waitFor } from '../support/wait-for.ts';

checkLeaksAfterEach();

const FIRST = { 'kpml-interworking': 'disabled', 'rfc2833-mode': 'preferred' };
const SECOND = { 'kpml-interworking': 'enabled', 'rfc2833-mode': 'transparent' };

/** What an INVITE offers and announces, such as `te kpml`. */
function announced(invite: SipText): string {
  const hasEvents = readSdp(invite.body).eventPayloadType !== undefined;
  return [hasEvents ? 'te' : '-', ...headerTokens(invite, 'Allow-Events')].join(' ');
}

test('after a refusal digits cross as the second agent wants them', async () => {
  const caller = closeAfterTest(await Rfc2833Trunk.open({ user: 'caller' }));
  const first = closeAfterTest(await SipPeer.open({ user: 'first' }));
  const second = closeAfterTest(await KpmlPhone.open({ user: 'second' }));
  const agent = [
    '  - name: second',
    '    realm: core',
    `    address: "${second.sip.address}:${second.sip.port}"`,
    ...Object.entries(SECOND).map(([key, value]) => `    ${key}: ${value}`),
    'session-groups:',
    '  - { name: all, strategy: hunt, members: [ carrier, second ] }',
    'local-policies:',
  ];
  const running = closeAfterTest(
    await startLoopbackSbc({
      carrier: first,
      carrierLeg: FIRST,
      access: { 'kpml-interworking': 'disabled', 'rfc2833-mode': 'preferred' },
      edit: (yaml) =>
        yaml
          .replace('local-policies:', agent.join('\n'))
          .replace('to: "*", next-hop: carrier', 'to: "*", next-hop: all'),
    }),
  );
  const refused = first.nextCall().then((incoming) => {
    incoming.reject(503);
    return incoming.invite;
  });

  const [one, two] = await Promise.all([
    caller.call({ to: '5551000', via: running.access }),
    second.answer(),
  ]);
  await two.listen();
  await Promise.all([one.press('12'), two.press('9')]);
  await Promise.all([two.listener.waitForDigits(2), one.waitForDigits(1)]);
  await one.hangUp();
  await two.waitForEnd();
  await waitFor('end of the call', () => running.sbc.calls.size === 0);

  expect([announced(await refused), announced(two.remoteMessage)]).toEqual(['te', 'te kpml']);
  expect([two.listener.digits, one.digits, ...two.problems()]).toEqual(['12', '9']);
  expect(ledgerLines(running.sbc.ledger.list({})).toSorted()).toEqual([
    'callee-to-caller 9 notify -> rtp',
    'caller-to-callee 1 rtp -> notify 200',
    'caller-to-callee 2 rtp -> notify 200',
  ]);
});
