/**
 *   alice             SBC             bob
 *     | REFER          | REFER          |     Refer-To leads through the SBC
 *     |--------------->|--------------->|
 *     |            202 |            202 |
 *     |<---------------|<---------------|
 *     | NOTIFY         | NOTIFY         |     refer, message/sipfrag
 *     |<---------------|<---------------|
 */
import { expect, test } from 'vitest';
import {
  aliceCallsBob,
  audioBothWays,
  finish,
  openCallStage,
  type PlainCall,
  shareSbcInFile,
} from '../support/call-stage.ts';
import { checkLeaksAfterEach } from '../support/leak-check.ts';
import { headerValue, statusOf, type Header, type SipText } from '../support/sip-text.ts';
import type { SipDialog } from '../support/sip-dialog.ts';

shareSbcInFile();
checkLeaksAfterEach();

const ACCEPTED = { status: 202 };

function refer(
  dialog: SipDialog,
  referTo: string,
  headers: readonly Header[] = [],
): Promise<SipText> {
  return dialog.request('REFER', { headers: [['Refer-To', referTo], ...headers] });
}

function notify(dialog: SipDialog, event: string, ...[state, body]: string[]): Promise<SipText> {
  return dialog.request('NOTIFY', {
    headers: [
      ['Event', event],
      ['Subscription-State', state ?? 'active;expires=60'],
    ],
    body: body ?? 'SIP/2.0 100 Trying\r\n',
    contentType: 'message/sipfrag;version=2.0',
  });
}

function cseqOf(request: SipText): string {
  return (headerValue(request, 'CSeq') ?? '').split(' ')[0] ?? '';
}

function ends(call: PlainCall, sender: 'alice' | 'bob') {
  return sender === 'alice'
    ? { referrer: call.alice.dialog, recipient: call.bob.dialog }
    : { referrer: call.bob.dialog, recipient: call.alice.dialog };
}

test.each([
  ['alice', '127.0.0.4'],
  ['bob', '127.0.0.1'],
] as const)(
  'a REFER of %s arrives with a target at the SBC, its NOTIFYs come back without strange headers',
  async (sender, ownHost) => {
    const stage = await openCallStage();
    const call = await aliceCallsBob(stage);
    const { referrer, recipient } = ends(call, sender);
    recipient.handle('REFER', () => ACCEPTED);
    referrer.handle('NOTIFY', () => ({ status: 200 }));

    const via = sender === 'alice' ? stage.running.access : stage.running.core;
    const accepted = await refer(referrer, `<sip:5559@${via.address}:${via.port};x=1>`, [
      ['Referred-By', `<sip:me@${stage[sender].sip.address}>`],
    ]);
    const arrived = await recipient.waitForRequest('REFER');
    const trying = await notify(recipient, 'refer');
    const last = await notify(
      recipient,
      `refer;id=${cseqOf(arrived)}`,
      'terminated;reason=noresource',
      'SIP/2.0 486 Busy Here\r\nContact: <sip:carol@192.0.2.9>\r\n',
    );
    const late = await notify(recipient, 'refer');
    await audioBothWays(call);
    await finish(call);

    expect(statusOf(accepted)).toBe(202);
    expect(headerValue(arrived, 'Refer-To')).toMatch(
      new RegExp(`^<sip:5559@${ownHost.replaceAll('.', '\\.')}:\\d+>$`),
    );
    expect(headerValue(arrived, 'Referred-By')).toBeUndefined();
    expect([trying, last, late].map(statusOf)).toEqual([200, 200, 481]);
    const told = referrer.received.filter(({ startLine }) => startLine.startsWith('NOTIFY'));
    const sent = stage[sender].sip.log.find(({ message }) => message.startLine.startsWith('REFER'));
    const referId = sent === undefined ? '' : cseqOf(sent.message);
    expect(told.map((request) => headerValue(request, 'Event'))).toEqual([
      'refer',
      `refer;id=${referId}`,
    ]);
    expect(told.map((request) => headerValue(request, 'Subscription-State'))).toEqual([
      'active;expires=60',
      'terminated;reason=noresource',
    ]);
    expect(told.map(({ body }) => body)).toEqual([
      'SIP/2.0 100 Trying\r\n',
      'SIP/2.0 486 Busy Here\r\n',
    ]);
    expect(told.map((request) => headerValue(request, 'Content-Type'))).toEqual([
      'message/sipfrag;version=2.0',
      'message/sipfrag;version=2.0',
    ]);
  },
);

test('what the recipient answers comes back, and a refusal leaves no subscription', async () => {
  const stage = await openCallStage();
  const call = await aliceCallsBob(stage);
  call.bob.dialog.handle('REFER', () => ({ status: 603 }));

  const refused = await refer(call.alice.dialog, '<sip:5559@sbc.example>');
  const told = await notify(call.bob.dialog, 'refer');
  await audioBothWays(call);
  await finish(call);

  expect([refused, told].map(statusOf)).toEqual([603, 481]);
});

test('a REFER that wants no subscription gets none', async () => {
  const stage = await openCallStage();
  const call = await aliceCallsBob(stage);
  const noSub: Header = ['Refer-Sub', 'false'];
  call.bob.dialog.handle('REFER', () => ({ status: 200, headers: [noSub] }));

  const answer = await refer(call.alice.dialog, '<sip:5559@sbc.example>', [noSub]);
  const arrived = await call.bob.dialog.waitForRequest('REFER');
  const told = await notify(call.bob.dialog, 'refer');
  await finish(call);

  expect([answer, arrived].map((message) => headerValue(message, 'Refer-Sub'))).toEqual([
    'false',
    'false',
  ]);
  expect(statusOf(told)).toBe(481);
});

test.each<[problem: string, referTo: string, status: number]>([
  ['an unknown dialog', '<sip:1@h?Replaces=a%3Bto-tag%3Db%3Bfrom-tag%3Dc>', 603],
  ['another method', '<sip:1@h;method=BYE>', 603],
  ['a web page', '<http://example.com/>', 416],
  ['nothing that can be read', 'what', 400],
])('a Refer-To with %s is refused', async (_problem, referTo, status) => {
  const stage = await openCallStage();
  const call = await aliceCallsBob(stage);

  const answer = await refer(call.alice.dialog, referTo);
  await finish(call);

  expect(statusOf(answer)).toBe(status);
  expect(call.bob.dialog.received.map(({ startLine }) => startLine.split(' ')[0])).toEqual(['BYE']);
});

test('NOTIFYs that nobody can read are refused, and so are those of nobody’s subscription', async () => {
  const stage = await openCallStage();
  const call = await aliceCallsBob(stage);
  call.bob.dialog.handle('REFER', () => ACCEPTED);
  call.alice.dialog.handle('NOTIFY', () => ({ status: 481 }));
  await refer(call.alice.dialog, '<sip:5559@sbc.example>');

  const answers = [
    await notify(call.bob.dialog, 'refer;id=999'),
    await notify(call.bob.dialog, 'refer', ';'),
    await notify(call.bob.dialog, 'refer', 'active', 'INVITE sip:a@b SIP/2.0\r\n'),
    await notify(call.alice.dialog, 'refer'),
    // Alice has given the subscription up.
    await notify(call.bob.dialog, 'refer'),
  ].map(statusOf);
  await audioBothWays(call);
  await finish(call);

  expect(answers).toEqual([481, 400, 400, 481, 481]);
});

test('a NOTIFY that comes behind the BYE is taken', async () => {
  const stage = await openCallStage();
  const call = await aliceCallsBob(stage);
  call.bob.dialog.handle('REFER', () => ACCEPTED);

  await refer(call.alice.dialog, '<sip:5559@sbc.example>');
  await finish(call);
  const late = await notify(call.bob.dialog, 'refer', 'terminated;reason=noresource');

  expect(statusOf(late)).toBe(200);
});
