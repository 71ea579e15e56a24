/**
 * Rows Q1, Q3, Q5 and Q9: the called end subscribes although no digits are translated towards it.
 *
 *   trunk (2833)                    SBC                        phone
 *     | INVITE, 101                  |                              |
 *     |----------------------------->|----------------------------->|
 *     |                              |<-----------------------------| 200
 *     |<-----------------------------|                              |
 *     |                              |<-----------------------------| SUBSCRIBE
 *     |                              | 489                          |
 *     |                              |----------------------------->|
 *     |== telephone-event ==========>|  (absorbed or relayed)       |
 */
import { describe, expect, test } from 'vitest';
import {
  ledgerLines,
  messagesLike,
  moreAudio,
  openStage,
  settle,
  trunkCallsPhone,
} from '../support/digit-call.ts';
import type { LegParameters } from '../support/loopback-config.ts';
import { checkLeaksAfterEach, closeAfterTest } from '../support/leak-check.ts';
import { Rfc2833Trunk } from '../support/rfc2833-trunk.ts';
import { readSdp } from '../support/sdp-text.ts';
import { headerTokens, headerValues, statusOf } from '../support/sip-text.ts';
import { startLoopbackSbc } from '../support/start-sbc.ts';

interface Row {
  readonly row: string;
  readonly core: LegParameters;
  readonly access: LegParameters;
  /** Allow-Events in the INVITE to the phone. */
  readonly announced: readonly string[];
  /** Telephone-event in the 200 to the trunk. */
  readonly answered: number | undefined;
}

const ROWS: readonly Row[] = [
  {
    row: 'Q1',
    core: { 'rfc2833-mode': 'transparent' },
    access: { 'rfc2833-mode': 'transparent' },
    announced: ['kpml'],
    answered: undefined,
  },
  {
    row: 'Q3',
    core: { 'rfc2833-mode': 'transparent' },
    access: { 'rfc2833-mode': 'preferred' },
    announced: ['kpml'],
    answered: undefined,
  },
  {
    row: 'Q9',
    core: { 'rfc2833-mode': 'preferred' },
    access: { 'kpml-interworking': 'disabled' },
    announced: [],
    answered: 101,
  },
];

checkLeaksAfterEach();

describe('a SUBSCRIBE of the called end', () => {
  test.each(ROWS)('gets 489 in row $row, and the call goes on', async (row) => {
    const stage = await openStage({ core: row.core, access: row.access });

    const call = await trunkCallsPhone(stage);
    const { phone, trunk } = call;
    await call.settle();
    const refused = await phone.listener.subscribe();
    // Sent whether or not it was agreed on: the phone must not see a packet of it.
    await trunk.rtp.press('7', { payloadType: 101 });
    await moreAudio(phone);
    const problems = await call.finish();

    const [invite] = messagesLike(stage.phone.sip, '< INVITE');
    const [answer] = messagesLike(stage.trunk.sip, '< 200 INVITE');
    expect(problems).toEqual([]);
    expect(readSdp(invite?.body ?? '').eventPayloadType).toBe(101);
    expect(invite === undefined ? undefined : headerTokens(invite, 'Allow-Events')).toEqual(
      row.announced,
    );
    expect(readSdp(answer?.body ?? '').eventPayloadType).toBe(row.answered);
    expect(statusOf(refused)).toBe(489);
    expect(headerValues(refused, 'Allow-Events')).toEqual(['kpml']);
    expect(phone.keypad.subscribes).toEqual([]);
    expect(phone.listener.notifies).toEqual([]);
    const dropped = 'caller-to-callee 7 rtp -> !no-translator';
    expect(call.ledger).toEqual(row.answered === undefined ? [] : [dropped]);
  });

  test('gets 489 when both ends use telephone-event, which is relayed (Q5)', async () => {
    const caller = closeAfterTest(await Rfc2833Trunk.open({ user: 'caller' }));
    const callee = closeAfterTest(await Rfc2833Trunk.open({ user: 'phone' }));
    const running = closeAfterTest(
      await startLoopbackSbc({ carrier: caller.sip, phone: callee.sip }),
    );

    const [one, two] = await Promise.all([
      caller.call({ to: 'phone', via: running.core }),
      callee.answer(),
    ]);
    const refused = await two.dialog.request('SUBSCRIBE', {
      headers: [
        ['Event', 'kpml'],
        ['Expires', '7200'],
      ],
    });
    await settle(one.dialog, two.dialog);
    await one.press('42');
    await two.waitForDigits(2);
    await one.hangUp();
    await two.waitForEnd();

    const [invite] = messagesLike(callee.sip, '< INVITE');
    expect(invite === undefined ? [] : headerValues(invite, 'Allow-Events')).toEqual(['kpml']);
    expect(one.remote.eventPayloadType).toBe(101);
    expect(statusOf(refused)).toBe(489);
    expect(two.digits).toBe('42');
    expect([...two.eventProblems(), ...two.audioProblems()]).toEqual([]);
    expect(ledgerLines(running.sbc.ledger.list({}))).toEqual([
      'caller-to-callee 4 rtp -> relay',
      'caller-to-callee 2 rtp -> relay',
    ]);
  });
});
