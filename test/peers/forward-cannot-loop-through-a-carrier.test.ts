/**
 * A carrier that nobody trusts gets a forwarded call and hands it back as a new one: that ends.
 *
 *   bob                     SBC
 *    | INVITE 2601           |    2601: CFA to 2901, which bob brings back to 2601
 *    |---------------------->|
 *    | INVITE 2901           |
 *    |<----------------------|
 *    | INVITE 2601 …         |
 *    |---------------------->|    482, in time
 */
import { expect, test } from 'vitest';
import { type CallStage, callRecords, shareSbcInFile } from '../support/call-stage.ts';
import {
  callAccount,
  forwardingSbc,
  forwardsIn,
  openForwardStage,
  setFeature,
} from '../support/forward-stage.ts';
import { checkLeaksAfterEach } from '../support/leak-check.ts';
import type { IncomingCall, OutgoingCall } from '../support/sip-calls.ts';
import type { Header } from '../support/sip-text.ts';
import { headerValue, statusOf } from '../support/sip-text.ts';

shareSbcInFile(forwardingSbc({ calls: 'ring: 1s, max-diversions: 3' }));
checkLeaksAfterEach();

/** What bob takes over from a call that he hands back to one of `accounts`, in turn. */
type Marks = (call: IncomingCall) => readonly Header[];

const ALL: Marks = (call) => {
  const { diversion, history } = forwardsIn(call);
  return [
    ['Diversion', diversion],
    ['History-Info', history],
  ];
};
const HISTORY: Marks = (call) => ALL(call).slice(1);
/** The newest diversion is another party each time, as where many accounts forward; the rest stays. */
const COUNTED: Marks = (call) => [
  ['Diversion', forwardsIn(call).diversion.replaceAll(/sip:26\d\d@/g, 'sip:nobody@')],
];
const NOTHING: Marks = () => [];

/** Status and Warning of the last answer to bob, and how often he has been called. */
async function runInCircles(stage: CallStage, accounts: string[], marks: Marks) {
  const outgoing: OutgoingCall[] = [callAccount(stage, accounts[0] ?? '')];
  const waiting: IncomingCall[] = [];
  for (;;) {
    const over = outgoing.at(-1)?.finished().then(statusOf);
    const next = stage.bob.sip.nextCall();
    // The call that nobody brings any more is waited for in vain.
    next.catch(() => undefined);
    const seen = waiting.length;
    const call = await Promise.race([next, over]);
    if (call === undefined || typeof call === 'number') break;
    waiting.push(call);
    const account = accounts[(seen + 1) % accounts.length] ?? '';
    outgoing.push(callAccount(stage, account, marks(call)));
  }
  for (const call of waiting.toReversed()) call.reject(482);
  const finals = await Promise.all(outgoing.map((each) => each.finished()));
  await callRecords(stage.running, outgoing.length);
  const [final] = finals.slice(-1);
  if (final === undefined) throw new Error('no call');
  const warning = headerValue(final, 'Warning');
  return { status: statusOf(final), warning, calls: waiting.length };
}

test.each<[string, string[], Marks, { calls: number; warning: string }]>([
  ['with every mark', ['2601'], ALL, { calls: 1, warning: 'forwarding loop' }],
  ['with History-Info', ['2601'], HISTORY, { calls: 1, warning: 'forwarding loop' }],
  // Whoever forwarded before is no name for the carrier, and counts.
  ['from account to account', ['2601', '2602'], ALL, { calls: 3, warning: 'too many forwards' }],
  ['with counters alone', ['2601'], COUNTED, { calls: 3, warning: 'too many forwards' }],
  ['without any mark', ['2601'], NOTHING, { calls: 12, warning: 'too many forwards at once' }],
])('a call that comes back %s', async (_, accounts, marks, { calls, warning }) => {
  const stage = await openForwardStage();
  for (const account of accounts) {
    const forwardTo = account.replace('26', '29');
    await setFeature(stage, account, 'CallForwardingAlways', { status: true, forwardTo });
  }
  const ran = await runInCircles(stage, accounts, marks);

  expect([ran.status, ran.calls]).toEqual([482, calls]);
  expect(ran.warning).toContain(`"${warning}"`);
});

test('what is in set-up no more does not count', async () => {
  const stage = await openForwardStage();
  await setFeature(stage, '2603', 'CallForwardingAlways', { status: true, forwardTo: '2941' });
  for (let each = 0; each < 13; each += 1) {
    const outgoing = callAccount(stage, '2603');
    (await stage.bob.sip.nextCall()).reject(486);
    expect(statusOf(await outgoing.finished())).toBe(486);
  }
});
