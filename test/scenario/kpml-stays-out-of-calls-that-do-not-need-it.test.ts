/**
 * Rows K3, K4, K5, K6 and K11: calls of a KPML phone in which nothing is translated.
 *
 *   phone (KPML)                    SBC                        trunk
 *     | INVITE, Allow-Events kpml    |                              |
 *     |----------------------------->| INVITE without kpml          |
 *     |                              |----------------------------->|
 *     |       200 without 101        |<-----------------------------| 200
 *     |<-----------------------------|                              |
 *     | SUBSCRIBE                    |                              |
 *     |----------------------------->|                              |
 *     |          489                 |   (no SUBSCRIBE either way)  |
 *     |<-----------------------------|                              |
 */
import { describe, expect, test } from 'vitest';
import {
  ledgerLines,
  messagesLike,
  messagesOf,
  openStage,
  phoneCallsTrunk,
  settle,
} from '../support/digit-call.ts';
import type { StageOptions } from '../support/digit-call.ts';
import { checkLeaksAfterEach, closeAfterTest } from '../support/leak-check.ts';
import { Rfc2833Trunk } from '../support/rfc2833-trunk.ts';
import { readSdp } from '../support/sdp-text.ts';
import { headerValues, statusOf } from '../support/sip-text.ts';
import { startLoopbackSbc } from '../support/start-sbc.ts';

interface Row {
  readonly row: string;
  readonly because: string;
  readonly options: StageOptions;
  /** The payload type of telephone-event in the INVITE to the trunk. */
  readonly inserted: number | undefined;
}

const ROWS: readonly Row[] = [
  {
    row: 'K3',
    because: 'the trunk refuses telephone-event',
    options: { trunkOptions: { knowsEvents: false } },
    inserted: 101,
  },
  {
    row: 'K4',
    because: 'the trunk’s leg is transparent',
    options: { core: { 'rfc2833-mode': 'transparent' } },
    inserted: undefined,
  },
  {
    row: 'K5',
    because: 'the trunk’s leg is dual',
    options: { core: { 'rfc2833-mode': 'dual' } },
    inserted: undefined,
  },
  {
    row: 'K6',
    because: 'the phone’s leg has no kpml-interworking',
    options: { access: { 'kpml-interworking': 'disabled' } },
    inserted: 101,
  },
];

checkLeaksAfterEach();

describe('no side subscribes when', () => {
  test.each(ROWS)('$because ($row)', async ({ options, inserted }) => {
    const stage = await openStage(options);

    const call = await phoneCallsTrunk(stage);
    await call.settle();
    const refused = await call.phone.listener.subscribe();
    const early = await call.phone.dialog.request('NOTIFY', {
      headers: [
        ['Event', 'kpml'],
        ['Subscription-State', 'active;expires=60'],
      ],
    });
    const problems = await call.finish();

    const [invite] = messagesLike(stage.trunk.sip, '< INVITE');
    const [answer] = messagesLike(stage.phone.sip, '< 200 INVITE');
    expect(problems).toEqual([]);
    expect(readSdp(invite?.body ?? '').eventPayloadType).toBe(inserted);
    expect(invite === undefined ? undefined : headerValues(invite, 'Allow-Events')).toEqual([]);
    expect(readSdp(answer?.body ?? '').eventPayloadType).toBeUndefined();
    expect(answer === undefined ? undefined : headerValues(answer, 'Allow-Events')).toEqual([]);
    expect(call.phone.keypad.subscribes).toEqual([]);
    expect(messagesOf(stage.trunk.sip).filter((line) => /SUBSCRIBE|NOTIFY/.test(line))).toEqual([]);
    expect(statusOf(refused)).toBe(489);
    expect(headerValues(refused, 'Allow-Events')).toEqual(['kpml']);
    expect(statusOf(early)).toBe(481);
  });

  test('both ends use telephone-event, though the caller lists kpml (K11)', async () => {
    const caller = closeAfterTest(await Rfc2833Trunk.open({ user: 'caller' }));
    const callee = closeAfterTest(await Rfc2833Trunk.open({ user: 'callee' }));
    const running = closeAfterTest(await startLoopbackSbc({ carrier: callee.sip }));

    const [one, two] = await Promise.all([
      caller.call({
        to: '5551000',
        via: running.access,
        headers: [['Allow-Events', 'presence, kpml, dialog']],
      }),
      callee.answer(),
    ]);
    await settle(one.dialog, two.dialog);
    await Promise.all([one.press('12'), two.press('34')]);
    await Promise.all([two.waitForDigits(2), one.waitForDigits(2)]);
    const [invite] = messagesLike(callee.sip, '< INVITE');
    await one.hangUp();
    await two.waitForEnd();

    expect(invite === undefined ? [] : headerValues(invite, 'Allow-Events')).toEqual([
      'presence, dialog',
    ]);
    expect(one.remote.eventPayloadType).toBe(101);
    expect([one.digits, two.digits]).toEqual(['34', '12']);
    expect([...one.eventProblems(), ...two.eventProblems()]).toEqual([]);
    expect([...one.audioProblems(), ...two.audioProblems()]).toEqual([]);
    expect(messagesOf(caller.sip).filter((line) => /SUBSCRIBE|NOTIFY/.test(line))).toEqual([]);
    expect(ledgerLines(running.sbc.ledger.list({})).toSorted()).toEqual([
      'callee-to-caller 3 rtp -> relay',
      'callee-to-caller 4 rtp -> relay',
      'caller-to-callee 1 rtp -> relay',
      'caller-to-callee 2 rtp -> relay',
    ]);
  });
});
