/**
 * Rows A13 to A18 of the interop matrix: the session agent's setting wins, unset ones come from the interface.
 *
 *   phone (KPML)                    SBC                        trunk (2833)
 *     | INVITE, Allow-Events kpml    |                              |
 *     |----------------------------->| INVITE, telephone-event N?   |
 *     |                              |----------------------------->|
 *     | SUBSCRIBE?                   |                              |
 *     |<-----------------------------|                              |
 */
import { describe, expect, test } from 'vitest';
import { messagesLike, openStage, phoneCallsTrunk } from '../support/digit-call.ts';
import type { StageOptions } from '../support/digit-call.ts';
import { KpmlPhone } from '../support/kpml-phone.ts';
import { checkLeaksAfterEach, closeAfterTest } from '../support/leak-check.ts';
import { readSdp } from '../support/sdp-text.ts';

interface Row {
  readonly row: string;
  readonly is: string;
  readonly options: StageOptions;
  /** Whether the phone is subscribed to. */
  readonly translates: boolean;
  /** Telephone-event in the INVITE to the trunk. */
  readonly inserted: number | undefined;
}

const ON = { 'kpml-interworking': 'enabled' };
const OFF = { 'kpml-interworking': 'disabled' };

const ROWS: readonly Row[] = [
  {
    row: 'A13',
    is: 'agent inherits, interface on: on',
    options: { phoneLeg: { 'kpml-interworking': 'inherit' }, access: ON },
    translates: true,
    inserted: 101,
  },
  {
    row: 'A14',
    is: 'agent off, interface on: off',
    options: { phoneLeg: OFF, access: ON },
    translates: false,
    inserted: 101,
  },
  {
    row: 'A15',
    is: 'agent on, interface off: on',
    options: { phoneLeg: ON, access: OFF },
    translates: true,
    inserted: 101,
  },
  {
    row: 'A17',
    is: 'agent none, interface preferred: preferred',
    options: {
      carrierLeg: { 'rfc2833-mode': 'none' },
      core: { 'rfc2833-mode': 'preferred' },
    },
    translates: true,
    inserted: 101,
  },
  {
    row: 'A17 reversed',
    is: 'agent transparent, interface preferred: transparent',
    options: {
      carrierLeg: { 'rfc2833-mode': 'transparent' },
      core: { 'rfc2833-mode': 'preferred' },
    },
    translates: false,
    inserted: undefined,
  },
  {
    row: 'A18',
    is: 'agent 0, interface 97: 97',
    options: { carrierLeg: { 'rfc2833-payload': '0' }, core: { 'rfc2833-payload': '97' } },
    translates: true,
    inserted: 97,
  },
];

checkLeaksAfterEach();

describe('of session agent and interface,', () => {
  test.each(ROWS)('$is ($row)', async ({ options, translates, inserted }) => {
    const stage = await openStage({ core: { 'rfc2833-mode': 'preferred' }, ...options });

    const call = await phoneCallsTrunk(stage);
    await call.settle();
    if (translates) {
      await call.phone.press('4');
      await call.trunk.waitForDigits(1);
    }
    const problems = await call.finish();

    const [invite] = messagesLike(stage.trunk.sip, '< INVITE');
    expect(problems).toEqual([]);
    expect(readSdp(invite?.body ?? '').eventPayloadType).toBe(inserted);
    expect(call.phone.keypad.subscribes).toHaveLength(translates ? 1 : 0);
    expect(call.trunk.digits).toBe(translates ? '4' : '');
  });

  test('the interface alone counts for a caller that is no session agent (A16)', async () => {
    const stage = await openStage({ access: ON, phoneLeg: OFF });
    const stranger = closeAfterTest(await KpmlPhone.open({ user: 'stranger' }));

    const call = await phoneCallsTrunk({ ...stage, phone: stranger });
    await call.phone.press('6');
    await call.trunk.waitForDigits(1);
    const problems = await call.finish();

    expect(problems).toEqual([]);
    expect(call.phone.keypad.subscribes).toHaveLength(1);
    expect(call.trunk.digits).toBe('6');
  });
});
