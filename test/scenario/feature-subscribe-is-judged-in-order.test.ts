/**
 *   phone                         SBC
 *     | SUBSCRIBE with two faults   |
 *     |---------------------------->|
 *     |   the answer to the one     |
 *     |   that is looked at first   |
 *     |<----------------------------|
 */
import { describe, expect, test } from 'vitest';
import type { FeaturePhone, PhoneAnswer } from '../support/feature-phone.ts';
import { dndDocument } from '../support/feature-documents.ts';
import { ACCOUNT, CHALLENGED, openFeatureStage, PORTAL } from '../support/feature-stage.ts';
import type { FeatureStage } from '../support/feature-stage.ts';
import { checkLeaksAfterEach } from '../support/leak-check.ts';
import { newToken } from '../support/sip-dialog.ts';
import { openWay } from '../support/sip-way.ts';
import {
  branchOf,
  formatSipText,
  headerValue,
  requiredHeader,
  statusOf,
  withHeader,
} from '../support/sip-text.ts';
import type { SipText } from '../support/sip-text.ts';
import { waitFor } from '../support/wait-for.ts';

checkLeaksAfterEach();

async function subscribed(
  section: Readonly<Record<string, string>> = {},
): Promise<{ readonly stage: FeatureStage; readonly phone: FeaturePhone }> {
  const stage = await openFeatureStage(section);
  const phone = await stage.phone();
  await phone.subscribe();
  await phone.nextNotify();
  await phone.refresh();
  await phone.nextNotify();
  return { stage, phone };
}

/** Sends the last SUBSCRIBE of the phone once more, changed; gives the answer. */
async function sendAgain(
  phone: FeaturePhone,
  change: (subscribe: SipText) => SipText,
): Promise<SipText> {
  const last = phone.log.findLast(
    ({ direction, message }) =>
      direction === 'sent' && message.startLine.startsWith('SUBSCRIBE ') && message.body === '',
  )?.message;
  if (last === undefined) throw new Error('the phone has not subscribed');
  const via = requiredHeader(last, 'Via').replace(branchOf(last), `z9hG4bK${newToken()}`);
  const request = change(withHeader(last, 'Via', via));
  phone.sendRaw(formatSipText(request));
  const answer = await waitFor('answer', () =>
    phone.log.find(
      ({ direction, message }) =>
        direction === 'received' &&
        statusOf(message) !== undefined &&
        branchOf(message) === branchOf(request),
    ),
  );
  return answer.message;
}

describe('in the dialog, a CSeq that does not grow', () => {
  test.each([
    ['another event', 489, { event: 'presence' }],
    ['an unknown extension', 420, { headers: [['Require', 'foo']] }],
    ['a body that is too large', 413, { body: ' '.repeat(16_385) }],
  ] as const)('counts less than %s: %i', async (_what, status, options) => {
    const { phone } = await subscribed();
    const lower = await phone.subscribe({ cseq: 1, ...options });
    expect([lower.status, (await phone.refresh()).status]).toEqual([status, 200]);
  });

  test('counts less than missing credentials: 401', async () => {
    const { phone } = await subscribed(CHALLENGED);
    const answer = await sendAgain(phone, (subscribe) => ({
      ...withHeader(subscribe, 'CSeq', '1 SUBSCRIBE'),
      headers: withHeader(subscribe, 'CSeq', '1 SUBSCRIBE').headers.filter(
        ([name]) => name !== 'Authorization',
      ),
    }));
    expect(statusOf(answer)).toBe(401);
  });

  test.each([
    ['lower', (last: number) => last - 1],
    ['the same', (last: number) => last],
  ])('is refused where nothing else is wrong, and changes nothing: %s', async (_what, cseqOf) => {
    const { stage, phone } = await subscribed();
    const last = await phone.setDnd(false);
    const cseq = cseqOf(Number.parseInt(requiredHeader(last.message, 'CSeq'), 10));
    const refused: PhoneAnswer = await phone.setDnd(true, { cseq });
    expect([refused.status, refused.warning]).toEqual([
      500,
      '399 pbx.example "as-feature-event: bad-value: CSeq does not grow"',
    ]);
    const read = await stage.service.read(ACCOUNT, PORTAL);
    expect(read).toMatchObject({ state: { DoNotDisturb: { status: false } } });
  });
});

test.each([
  ['another tag', ';tag=somebody'],
  ['no tag', ''],
])('a set in the dialog whose From has %s gets 481 and changes nothing', async (_what, tag) => {
  const { stage, phone } = await subscribed();
  const answer = await sendAgain(phone, (subscribe) => {
    const from = requiredHeader(subscribe, 'From').replace(/;tag=.*$/, tag);
    const body = dndDocument(true);
    const typed = withHeader(subscribe, 'Content-Type', 'application/x-as-feature-event+xml');
    return { ...withHeader(withHeader(typed, 'From', from), 'CSeq', '99 SUBSCRIBE'), body };
  });
  expect(statusOf(answer)).toBe(481);
  expect(stage.store.rows).toEqual([]);
  expect((await phone.refresh()).status).toBe(200);
});

test('a body that the SIP engine does not even read is refused with the same words', async () => {
  const stage = await openFeatureStage();
  const port = stage.engine.listenPoints.find(({ protocol }) => protocol === 'tcp')?.port ?? 0;
  const way = await openWay('tcp', { address: '127.0.0.1', port });
  const lines = [
    'SUBSCRIBE sip:2001@pbx.example SIP/2.0',
    `Via: SIP/2.0/TCP ${way.ownAddress};branch=z9hG4bK${newToken()}`,
    'Max-Forwards: 70',
    'From: <sip:2001@pbx.example>;tag=a',
    'To: <sip:2001@pbx.example>',
    `Call-ID: ${newToken()}`,
    'CSeq: 1 SUBSCRIBE',
    `Contact: <sip:2001@${way.ownAddress}>`,
    'Event: as-feature-event;id=1',
    'Content-Type: application/x-as-feature-event+xml',
    'Content-Length: 1048576',
  ];
  way.send(`${lines.join('\r\n')}\r\n\r\n<`);
  const answer = await way.next('answer', (each) => statusOf(each) !== undefined);
  await way.close();
  expect([statusOf(answer), headerValue(answer, 'Warning')]).toEqual([
    413,
    '399 127.0.0.1 "as-feature-event: limits: body too large"',
  ]);
});
