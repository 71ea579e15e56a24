import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  DTMF_RELAY_TYPE,
  DTMF_TYPE,
  dtmfInfoTypeOf,
  formatDtmfInfo,
  parseDtmfInfo,
} from '../../../src/wire/dtmf-info.ts';
import { ALL_DIGITS } from '../../../src/wire/telephone-event.ts';
import { WireError } from '../../../src/wire/wire-error.ts';

function parse(body: string): string {
  const { key, durationMs } = parseDtmfInfo(Buffer.from(body));
  return `${key} ${durationMs ?? '-'}`;
}

/** The key in `body`, or the name of what is thrown. */
function outcomeOf(body: Buffer): string {
  try {
    return parseDtmfInfo(body).key;
  } catch (error) {
    return error instanceof Error ? error.name : 'no error';
  }
}

describe('reading', () => {
  // oxfmt-ignore
  test.each([
    ['as everybody writes it', 'Signal=5\r\nDuration=160\r\n', '5 160'],
    ['no line end at the end', 'Signal=5\r\nDuration=160', '5 160'],
    ['LF only', 'Signal=5\nDuration=160\n', '5 160'],
    ['CR only', 'Signal=5\rDuration=160', '5 160'],
    ['spaces around the value', 'Signal= 9\r\nDuration= 250', '9 250'],
    ['spaces around everything', '  signal = * \r\n duration = 40 ', '* 40'],
    ['lower case', 'signal=a\r\nduration=160', 'A 160'],
    ['upper case', 'SIGNAL=#\r\nDURATION=160', '# 160'],
    ['a colon', 'Signal: 5\r\nDuration: 160', '5 160'],
    ['the order turned round', 'Duration=160\r\nSignal=5', '5 160'],
    ['empty lines', '\r\n\r\nSignal=5\r\n\r\nDuration=160', '5 160'],
    ['quotes', 'Signal="5"\r\nDuration="160"', '5 160'],
    ['further fields', 'Signal=5\r\nDuration=160\r\nVolume=-10', '5 160'],
    ['no duration', 'Signal=5\r\n', '5 -'],
    ['duration 0', 'Signal=5\r\nDuration=0', '5 -'],
    ['a duration with its unit', 'Signal=5\r\nDuration=160ms', '5 160'],
    ['a duration that is none', 'Signal=5\r\nDuration=long', '5 -'],
    ['a duration beyond all bounds', 'Signal=5\r\nDuration=99999999999', '5 -'],
    ['a duration of more than 65535 ms', 'Signal=5\r\nDuration=70000', '5 -'],
    ['a negative duration', 'Signal=5\r\nDuration=-1', '5 -'],
    ['d for the duration', 'Signal=5\r\nd=160', '5 160'],
    ['d for the signal', 'd=5\r\nDuration=160', '5 160'],
    ['star by code', 'Signal=10\r\nDuration=160', '* 160'],
    ['hash by code', 'Signal=11', '# -'],
    ['A and D by code', 'Signal=12', 'A -'],
    ['D by code', 'Signal=15', 'D -'],
    ['5 by code', 'Signal=05', '5 -'],
    ['a flash by sign', 'Signal=!', 'R -'],
    ['a flash by code', 'Signal=16', 'R -'],
    ['a flash by name', 'Signal=hf', 'R -'],
    ['a flash by long name', 'Signal=Flash', 'R -'],
    ['a bare key', '5', '5 -'],
    ['a bare star', '*\r\n', '* -'],
    ['a bare code', ' 11 ', '# -'],
    ['a bare letter', 'b', 'B -'],
  ])('%s', (_, body, expected) => {
    expect(parse(body)).toBe(expected);
  });

  // oxfmt-ignore
  test.each([
    ['nothing', ''],
    ['line ends only', '\r\n\r\n'],
    ['no signal', 'Duration=160\r\n'],
    ['an empty signal', 'Signal=\r\nDuration=160'],
    ['an unknown code', 'Signal=17'],
    ['several keys', '123'],
    ['several keys in a field', 'Signal=1234'],
    ['a word', 'hello'],
    ['NUL', '\0'],
    ['XML', '<dtmf key="5"/>'],
    ['a body beyond all bounds', `Signal=5\r\n${'x'.repeat(600)}`],
  ])('%s is a WireError that does not name what came', (_, body) => {
    expect(() => parse(body)).toThrow(WireError);
    expect(() => parse(body)).toThrow(/^expected/);
    expect(() => parse(body)).not.toThrow(/1234|hello/);
  });

  test('any bytes give a key or a WireError', () => {
    const fields = fc.constantFrom('Signal', '=', ':', 'd', 'Duration', '5', '1', '\r\n', ' ', '"');
    const bodies = fc.oneof(
      fc.uint8Array({ maxLength: 600 }).map((bytes) => Buffer.from(bytes)),
      fc.array(fields, { maxLength: 40 }).map((parts) => Buffer.from(parts.join(''))),
    );
    fc.assert(
      fc.property(bodies, (body) => {
        expect([...ALL_DIGITS, 'R', 'WireError']).toContain(outcomeOf(body));
      }),
    );
  });
});

describe('writing', () => {
  test.each([
    ['5', 160, DTMF_RELAY_TYPE, 'Signal=5\r\nDuration=160\r\n'],
    ['#', undefined, DTMF_RELAY_TYPE, 'Signal=#\r\n'],
    ['R', 300, DTMF_RELAY_TYPE, 'Signal=!\r\nDuration=300\r\n'],
    ['*', 160, DTMF_TYPE, '*'],
    ['R', undefined, DTMF_TYPE, '!'],
  ] as const)('%s for %s ms as %s', (key, durationMs, type, body) => {
    expect(formatDtmfInfo({ key, durationMs }, type)).toBe(body);
  });

  test.each([0, -1, 1.5, 65_536, Number.NaN])('a duration of %s is a RangeError', (durationMs) => {
    expect(() => formatDtmfInfo({ key: '5', durationMs }, DTMF_RELAY_TYPE)).toThrow(RangeError);
  });

  test('what is written reads back the same', () => {
    const infos = fc.record({
      key: fc.constantFrom(...ALL_DIGITS, 'R' as const),
      durationMs: fc.option(fc.integer({ min: 1, max: 65_535 }), { nil: undefined }),
    });
    fc.assert(
      fc.property(infos, (info) => {
        const relay = formatDtmfInfo(info, DTMF_RELAY_TYPE);
        expect(parseDtmfInfo(Buffer.from(relay))).toEqual(info);
        const bare = formatDtmfInfo(info, DTMF_TYPE);
        expect(parseDtmfInfo(Buffer.from(bare))).toEqual({ ...info, durationMs: undefined });
      }),
    );
  });
});

test.each([
  ['application/dtmf-relay', DTMF_RELAY_TYPE],
  ['Application/DTMF-Relay; charset=utf-8', DTMF_RELAY_TYPE],
  ['application/dtmf', DTMF_TYPE],
  [' application/dtmf ;x=y', DTMF_TYPE],
  ['application/dtmf-relay-2', undefined],
  ['audio/telephone-event', undefined],
  [undefined, undefined],
])('Content-Type %s', (contentType, type) => {
  expect(dtmfInfoTypeOf(contentType)).toBe(type);
});
