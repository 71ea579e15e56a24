/**
 * Rows C06 to C13, C28 and C30 to C39: what a NOTIFY of the phone is worth.
 *
 *   phone (KPML)                    SBC                        trunk (2833)
 *     | NOTIFY CSeq 4 digits="12"    |                              |
 *     |----------------------------->|== telephone-events 1 2 =====>|
 *     |             200              |                              |
 *     |<-----------------------------|                              |
 *     | the same NOTIFY again        |                              |
 *     |----------------------------->|  (nothing)                   |
 *     |          the same 200        |                              |
 *     |<-----------------------------|                              |
 *     | NOTIFY CSeq 3, new branch    |                              |
 *     |----------------------------->|  (nothing)                   |
 *     |             500              |                              |
 *     |<-----------------------------|                              |
 */
import { describe, expect, test } from 'vitest';
import {
  messagesLike,
  moreAudio,
  phoneCallsTrunk,
  resend,
  shareSbc,
} from '../support/digit-call.ts';
import type { DigitCall } from '../support/digit-call.ts';
import { checkLeaksAfterEach } from '../support/leak-check.ts';
import { cseqOf, headerValue, statusOf, withHeader } from '../support/sip-text.ts';
import type { Header, SipText } from '../support/sip-text.ts';

const open = shareSbc({
  core: { 'rfc2833-mode': 'preferred', 'dtmf-duration-ms': '40', 'dtmf-gap-ms': '40' },
});
const RESPONSE_TYPE = 'application/kpml-response+xml';

checkLeaksAfterEach();

function report(digits: string, attributes = 'version="1.0" code="200" text="OK"'): string {
  return `<?xml version="1.0" encoding="UTF-8"?><kpml-response ${attributes} digits="${digits}"/>`;
}

/** Sends a NOTIFY of the phone's own making and gives its answer. */
function notify(
  call: DigitCall,
  options: {
    headers?: readonly Header[];
    state?: string;
    event?: string;
    body?: string;
    contentType?: string;
  },
): Promise<SipText> {
  const { state = 'active;expires=600', event = 'kpml', body, contentType } = options;
  const headers: Header[] = [
    ['Event', event],
    ...(state === '' ? [] : [['Subscription-State', state] as const]),
  ];
  const content = body === undefined ? {} : { body, contentType: contentType ?? RESPONSE_TYPE };
  return call.phone.dialog.request('NOTIFY', { headers, ...content });
}

function withNewBranch(request: SipText, branch: string): SipText {
  const via = headerValue(request, 'Via') ?? '';
  const rest = request.headers.filter(([name]) => name !== 'Via');
  return {
    ...request,
    headers: [['Via', via.replace(/branch=[^;]+/, `branch=z9hG4bK${branch}`)], ...rest],
  };
}

describe('keys in a NOTIFY are played', () => {
  test('once each in the shapes peers write them: bursts, no namespace, no expires', async () => {
    const stage = await open();

    const call = await phoneCallsTrunk(stage);
    const { phone, trunk } = call;
    await phone.keypad.waitForSubscription();
    const answers = [
      await notify(call, { body: report('1234') }),
      await notify(call, { body: report('5'), state: 'active' }),
      await notify(call, { body: report('5'), state: 'active' }),
      await notify(call, {
        body: "\u{feff}<k:kpml-response xmlns:k='urn:ietf:params:xml:ns:kpml-response' digits = 'd' text='anything' code='299' version='1.0' tag='dtml'/>",
      }),
      await notify(call, {}),
    ];
    await trunk.waitForDigits(7);
    const problems = await call.finish();

    expect(problems).toEqual([]);
    expect(answers.map(statusOf)).toEqual([200, 200, 200, 200, 200]);
    expect(trunk.digits).toBe('123455D');
    expect(call.ledger).toHaveLength(7);
  });

  test('not again when the NOTIFY is repeated, nor when its CSeq does not rise', async () => {
    const stage = await open();

    const call = await phoneCallsTrunk(stage);
    const { phone, trunk } = call;
    await phone.press('1');
    const first = messagesLike(stage.phone.sip, '> NOTIFY').at(-1);
    if (first === undefined) throw new Error('no NOTIFY was sent');
    const repeated = await resend(stage.phone.sip, first);
    const sameCSeq = await resend(stage.phone.sip, first, (text) => withNewBranch(text, 'again'));
    const lowerCSeq = await resend(stage.phone.sip, first, (text) =>
      withHeader(withNewBranch(text, 'lower'), 'CSeq', `${cseqOf(first) - 1} NOTIFY`),
    );
    await phone.press('2');
    await trunk.waitForDigits(2);
    await moreAudio(trunk);
    const problems = await call.finish();

    expect(problems).toEqual([]);
    expect([repeated, sameCSeq, lowerCSeq].map(statusOf)).toEqual([200, 500, 500]);
    expect(trunk.digits).toBe('12');
    expect(call.ledger).toEqual([
      'caller-to-callee 1 notify -> rtp',
      'caller-to-callee 2 notify -> rtp',
    ]);
  });

  test('not when it is no report of ours: what is wrong is said in the answer', async () => {
    const stage = await open();

    const call = await phoneCallsTrunk(stage);
    const { phone, trunk } = call;
    await phone.keypad.waitForSubscription();
    const refused = [
      await notify(call, { body: report('1'), event: 'presence' }),
      await notify(call, { body: report('1'), event: 'KPML' }),
      await notify(call, { body: report('1'), event: 'telephone-event' }),
      await notify(call, { body: report('1'), event: 'kpml;id=9' }),
      await notify(call, { body: report('1'), state: '' }),
      await notify(call, { body: report('1'), contentType: 'text/xml' }),
      await notify(call, { body: report('1', 'xmlns="urn:example" version="1.0" code="200"') }),
    ];
    const ignored = [
      await notify(call, { body: report('1', 'version="1.0" code="423" text="Timer Expired"') }),
      await notify(call, { body: report('bs') }),
      await notify(call, { body: report('R') }),
      await notify(call, { body: report('') }),
    ];
    await phone.press('7');
    await trunk.waitForDigits(1);
    const problems = await call.finish();

    expect(problems).toEqual([]);
    expect(refused.map(statusOf)).toEqual([489, 489, 489, 481, 400, 415, 400]);
    expect(
      headerValue(refused[0] ?? { startLine: '', headers: [], body: '' }, 'Allow-Events'),
    ).toBe('kpml');
    expect(ignored.map(statusOf)).toEqual([200, 200, 200, 200]);
    expect(trunk.digits).toBe('7');
    expect(call.ledger).toEqual([
      'caller-to-callee b notify -> !unknown-character',
      'caller-to-callee s notify -> !unknown-character',
      'caller-to-callee R notify -> !flash-disabled',
      'caller-to-callee 7 notify -> rtp',
    ]);
  });
});
