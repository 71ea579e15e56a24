/**
 * Rows A22, C22 to C25, D11 to D19 and D62 to D66: what is wrong with a SUBSCRIBE is said in its answer,
 * and neither the call nor the subscription beside it suffers.
 *
 *   phone (KPML)                    SBC                        trunk (2833)
 *     | SUBSCRIBE with a fault       |                              |
 *     |----------------------------->|                              |
 *     |          4xx                 |                              |
 *     |<-----------------------------|                              |
 *     | NOTIFY digits="1"            |<== telephone-event 1 ========|
 *     |<-----------------------------|                              |
 */
import { describe, expect, test } from 'vitest';
import { phoneCallsTrunk, shareSbc } from '../support/digit-call.ts';
import { checkLeaksAfterEach } from '../support/leak-check.ts';
import { headerValue, statusOf } from '../support/sip-text.ts';
import type { Header } from '../support/sip-text.ts';

const REQUEST_TYPE = 'application/kpml-request+xml';
const PATTERN = '<pattern persist="persist"><regex>x</regex></pattern>';

interface Fault {
  readonly fault: string;
  readonly event?: string | null;
  readonly expires?: string | null;
  readonly accept?: string;
  readonly contentType?: string;
  readonly body?: string;
  readonly status: number;
  /** A header that the answer must have. */
  readonly with?: readonly [name: string, value: string];
}

const ALLOW: Fault['with'] = ['Allow-Events', 'kpml'];
const ACCEPT: Fault['with'] = ['Accept', REQUEST_TYPE];

const FAULTS: readonly Fault[] = [
  { fault: 'no Event', event: null, status: 489, with: ALLOW },
  { fault: 'unknown package', event: 'dialog', status: 489, with: ALLOW },
  { fault: 'package in capitals', event: 'KPML', status: 489, with: ALLOW },
  { fault: 'Accept without kpml-response', accept: 'text/plain', status: 406 },
  { fault: 'other Content-Type', contentType: 'text/xml', status: 415, with: ACCEPT },
  { fault: 'multipart', contentType: 'multipart/mixed;boundary=x', status: 415, with: ACCEPT },
  { fault: 'too short', expires: '10', status: 423, with: ['Min-Expires', '60'] },
  { fault: 'negative', expires: '-1', status: 400 },
  { fault: 'no number', expires: 'soon', status: 400 },
  { fault: 'much too long', expires: '1000000000', status: 200, with: ['Expires', '86400'] },
  { fault: 'no Expires', expires: null, status: 200, with: ['Expires', '7200'] },
  { fault: 'no XML', body: 'digits please', status: 400 },
  { fault: '17 kB', body: `<kpml-request>${' '.repeat(17_000)}</kpml-request>`, status: 413 },
];

const open = shareSbc();

checkLeaksAfterEach();

describe('a SUBSCRIBE', () => {
  test('with a fault is refused and nothing else happens', async () => {
    // Bodies of 17 kB do not fit into a datagram on every system.
    const stage = await open({ phoneOptions: { transport: 'tcp' } });

    const call = await phoneCallsTrunk(stage);
    const { phone, trunk } = call;
    await phone.listen();
    const answers: Fault[] = [];
    for (const [index, fault] of FAULTS.entries()) {
      const { event = `kpml;id=${index}`, expires = '600', accept, contentType } = fault;
      const headers: Header[] = [
        ...(event === null ? [] : [['Event', event] as const]),
        ...(expires === null ? [] : [['Expires', expires] as const]),
        ...(accept === undefined ? [] : [['Accept', accept] as const]),
      ];
      const answer = await phone.dialog.request('SUBSCRIBE', {
        headers,
        contentType: contentType ?? REQUEST_TYPE,
        body: fault.body ?? `<kpml-request version="1.0">${PATTERN}</kpml-request>`,
      });
      const [name] = fault.with ?? [];
      const value = name === undefined ? undefined : headerValue(answer, name);
      answers.push({
        ...fault,
        status: statusOf(answer) ?? 0,
        ...(name === undefined ? {} : { with: [name, value ?? ''] as const }),
      });
    }
    await trunk.press('1');
    await phone.listener.waitForDigits(3);
    await call.finish();

    expect(answers).toEqual(FAULTS);
    // One report each for the subscription of the start and the two that were granted.
    expect(phone.listener.digits).toBe('111');
    expect(call.ledger).toEqual(['callee-to-caller 1 rtp -> notify 200, notify 200, notify 200']);
  });

  test('that names another dialog or a bad document is granted and ended by NOTIFY', async () => {
    const stage = await open();

    const call = await phoneCallsTrunk(stage);
    const { phone, trunk } = call;
    await phone.listen();
    const rows = [
      ['kpml;id=1;call-id="elsewhere";local-tag=a;remote-tag=b', PATTERN, '481'],
      ['kpml;id=2', '<pattern><regex>(0|1)</regex></pattern>', '501'],
      ['kpml;id=3', '<pattern><regex>x{1001}</regex></pattern>', '501'],
      ['kpml;id=4', `<pattern>${'<regex>1</regex>'.repeat(101)}</pattern>`, '534'],
    ] as const;
    const codes: unknown[] = [];
    for (const [event, content] of rows) {
      const before = phone.listener.notifies.length;
      const answer = await phone.dialog.request('SUBSCRIBE', {
        headers: [
          ['Event', event],
          ['Expires', '600'],
        ],
        contentType: REQUEST_TYPE,
        body: `<kpml-request version="1.0">${content}</kpml-request>`,
      });
      const notify = await phone.dialog.waitForRequest('NOTIFY', before + 1);
      const state = headerValue(notify, 'Subscription-State') ?? '';
      const code = /code="(\d+)"/.exec(notify.body)?.[1];
      codes.push([statusOf(answer), state.split(';')[0], code]);
    }
    await trunk.press('1');
    await phone.listener.waitForDigits(1);
    await call.finish();

    expect(codes).toEqual(rows.map(([, , code]) => [200, 'terminated', code]));
    expect(phone.listener.digits).toBe('1');
  });
});
