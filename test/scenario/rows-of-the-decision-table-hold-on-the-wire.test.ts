/**
 * Rows K7, K9, K10, K12, Q8, Q10, Q11 and Q12 of the decision table: what each end sees of telephone-event and of kpml,
 * who subscribes, and what its own SUBSCRIBE gets. The other rows have scenarios of their own.
 *
 *   caller (access)                 SBC                        callee (core)
 *     | INVITE te? kpml?             | INVITE te? kpml?             |
 *     |----------------------------->|----------------------------->|
 *     |            200 te? kpml?     |            200 te? kpml?     |
 *     |<-----------------------------|<-----------------------------|
 *     |                              |  SUBSCRIBE: 200, relayed, 489
 *     |                              |<-----------------------------|
 */

import { expect, test } from 'vitest';
import { messagesLike, settle } from '../support/digit-call.ts';
import { KpmlPhone } from '../support/kpml-phone.ts';
import { KpmlKeypad, KpmlListener } from '../support/kpml-sides.ts';
import { checkLeaksAfterEach, closeAfterTest } from '../support/leak-check.ts';
import type { LegParameters } from '../support/loopback-config.ts';
import { Rfc2833Trunk } from '../support/rfc2833-trunk.ts';
import { readSdp } from '../support/sdp-text.ts';
import type { SipPeer } from '../support/sip-peer.ts';
import { headerTokens, statusOf } from '../support/sip-text.ts';
import { startLoopbackSbc } from '../support/start-sbc.ts';
import { waitFor } from '../support/wait-for.ts';

/** What an end can do: KPML keys, telephone-events, both or neither. */
type Kind = 'kpml' | 'events' | 'both' | 'neither';

interface Row {
  readonly row: string;
  readonly caller: Kind;
  readonly callee: Kind;
  readonly access: LegParameters;
  readonly core: LegParameters;
  /** Telephone-event and kpml in the INVITE to the callee, then in the 200 to the caller. */
  readonly toCallee: string;
  readonly toCaller: string;
  /** What the callee's SUBSCRIBE gets, and from whom. */
  readonly subscribe: '489' | '200 of the SBC' | '200 of the caller';
  /** Sides that we subscribe to. */
  readonly subscribed: string;
}

const ON = { 'kpml-interworking': 'enabled' };
const OFF = { 'kpml-interworking': 'disabled' };
const HAIRPIN = { 'kpmlRFC2833-iwf-on-hairpin': 'enabled' };

function mode(value: 'transparent' | 'preferred' | 'dual'): LegParameters {
  return { 'rfc2833-mode': value };
}

// oxfmt-ignore
const ROWS: readonly Row[] = [
  { row: 'K7',  caller: 'kpml',    callee: 'kpml',    access: { ...OFF, ...mode('transparent') }, core: { ...ON, ...mode('transparent') },
    toCallee: '- kpml',  toCaller: '- -',    subscribe: '200 of the caller', subscribed: '' },
  { row: 'K9',  caller: 'kpml',    callee: 'events',  access: { ...ON, ...mode('transparent') },  core: { ...ON, ...mode('preferred') },
    toCallee: 'te kpml', toCaller: '- kpml', subscribe: '489',               subscribed: 'caller' },
  { row: 'K10', caller: 'kpml',    callee: 'kpml',    access: { ...ON, ...mode('transparent') },  core: { ...ON, ...mode('preferred') },
    toCallee: 'te kpml', toCaller: '- kpml', subscribe: '200 of the caller', subscribed: '' },
  { row: 'K12', caller: 'both',    callee: 'neither', access: { ...ON, ...mode('preferred') },    core: { ...OFF, ...mode('transparent') },
    toCallee: 'te -',    toCaller: 'te -',   subscribe: '489',               subscribed: '' },
  { row: 'Q8',  caller: 'events',  callee: 'kpml',    access: { ...OFF, ...mode('dual') },        core: { ...ON, ...mode('transparent') },
    toCallee: 'te -',    toCaller: '- -',    subscribe: '489',               subscribed: '' },
  { row: 'Q10', caller: 'neither', callee: 'kpml',    access: { ...OFF, ...mode('preferred') },   core: { ...ON, ...mode('transparent') },
    toCallee: '- -',     toCaller: '- -',    subscribe: '489',               subscribed: '' },
  { row: 'Q11', caller: 'both',    callee: 'kpml',    access: { ...OFF, ...mode('preferred') },   core: { ...ON, ...mode('transparent') },
    toCallee: 'te kpml', toCaller: 'te -',   subscribe: '200 of the caller', subscribed: 'callee' },
  { row: 'Q12', caller: 'both',    callee: 'kpml',    access: { ...OFF, ...mode('preferred') },   core: { ...ON, ...HAIRPIN, ...mode('transparent') },
    toCallee: 'te kpml', toCaller: 'te -',   subscribe: '200 of the SBC',    subscribed: 'callee' },
];

checkLeaksAfterEach();

async function openEnd(user: string, kind: Kind): Promise<KpmlPhone | Rfc2833Trunk> {
  if (kind === 'kpml') return closeAfterTest(await KpmlPhone.open({ user }));
  return closeAfterTest(await Rfc2833Trunk.open({ user, knowsEvents: kind !== 'neither' }));
}

/** What one message tells its receiver, such as `te kpml` or `- -`. */
function seenIn(peer: SipPeer, line: string): string {
  const [message] = messagesLike(peer, line);
  if (message === undefined) return `no ${line}`;
  const hasEvents = readSdp(message.body).eventPayloadType !== undefined;
  const hasKpml = headerTokens(message, 'Allow-Events').includes('kpml');
  return `${hasEvents ? 'te' : '-'} ${hasKpml ? 'kpml' : '-'}`;
}

function subscribes(peer: SipPeer): number {
  return messagesLike(peer, '< SUBSCRIBE').length;
}

test.each(ROWS)('row $row: $caller calls $callee', async (row) => {
  const [caller, callee] = await Promise.all([
    openEnd('caller', row.caller),
    openEnd('callee', row.callee),
  ]);
  const running = closeAfterTest(
    await startLoopbackSbc({ carrier: callee.sip, access: row.access, core: row.core }),
  );
  const headers = row.caller === 'both' ? [['Allow-Events', 'kpml'] as const] : [];
  const [one, two] = await Promise.all([
    caller.call({ to: '5551000', via: running.access, headers }),
    callee.answer(),
  ]);
  if (row.caller === 'both') void new KpmlKeypad(one.dialog);
  const own = row.subscribed === '' ? 0 : 1;
  await waitFor('our subscription', () => subscribes(caller.sip) + subscribes(callee.sip) >= own);
  await settle(one.dialog, two.dialog);
  const subscribed = [
    ...(subscribes(caller.sip) > 0 ? ['caller'] : []),
    ...(subscribes(callee.sip) > 0 ? ['callee'] : []),
  ];
  const before = subscribes(caller.sip);
  const listener = new KpmlListener(two.dialog);
  const status = statusOf(await listener.subscribe());
  if (status === 200) await waitFor('first NOTIFY', () => listener.notifies.length > 0);
  const isRelayed = subscribes(caller.sip) > before;
  await settle(one.dialog, two.dialog);
  await one.hangUp();
  await two.waitForEnd();
  await waitFor('end of the call', () => running.sbc.calls.size === 0);

  const by = status === 489 ? '' : ` of the ${isRelayed ? 'caller' : 'SBC'}`;
  expect({
    toCallee: seenIn(callee.sip, '< INVITE'),
    toCaller: seenIn(caller.sip, '< 200 INVITE'),
    subscribe: `${status}${by}`,
    subscribed: subscribed.join(),
  }).toEqual({
    toCallee: row.toCallee,
    toCaller: row.toCaller,
    subscribe: row.subscribe,
    subscribed: row.subscribed,
  });
});
