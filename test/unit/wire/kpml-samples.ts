/** Documents that several tests write and read. */

import { KPML_REQUEST_DEFAULTS } from '../../../src/wire/kpml-request.ts';
import type { KpmlRequest } from '../../../src/wire/kpml-request.ts';
import type { KpmlResponse } from '../../../src/wire/kpml-response.ts';
import { KpmlError } from '../../../src/wire/kpml.ts';
import type { KpmlRefusal } from '../../../src/wire/kpml.ts';

/** What we send as subscriber. */
export const ourRequest: KpmlRequest = {
  ...KPML_REQUEST_DEFAULTS,
  persist: 'persist',
  interDigitTimerMs: 7_260_000,
  regexes: [{ parts: [{ type: 'text', text: '[x*#ABCD]' }], tag: 'dtmf' }],
};

/** What we send as notifier. */
export const ourResponse: KpmlResponse = {
  code: 200,
  text: 'OK',
  digits: '1',
  tag: 'dtmf',
  isSuppressed: false,
  isForcedFlush: false,
};

/** A request that uses everything. */
export const fullRequest: KpmlRequest = {
  isReverse: true,
  persist: 'single-notify',
  isPersistUnknown: false,
  interDigitTimerMs: 1,
  criticalDigitTimerMs: 2,
  extraDigitTimerMs: 3,
  longMs: 4,
  isLongRepeat: true,
  isNoPartial: true,
  enterKey: ['#', '#'],
  isFlush: true,
  regexes: [
    {
      parts: [
        { type: 'text', text: '1' },
        { type: 'pre', text: 'x{2}' },
        { type: 'text', text: '3' },
      ],
      tag: 'a<b>"&',
    },
    { parts: [{ type: 'text', text: 'L*' }] },
  ],
};

/** The answer that a reader asks for by throwing. */
export function refusalOf(read: () => unknown): KpmlRefusal {
  try {
    read();
  } catch (error) {
    if (error instanceof KpmlError) return error.refusal;
    throw error;
  }
  throw new Error('expected a refusal');
}
