import fc from 'fast-check';
import { expect, test } from 'vitest';
import { allowedInAnswer, setDirection } from '../../../src/wire/sdp-direction.ts';
import { formatSdp, parseSdp } from '../../../src/wire/sdp.ts';

const DIRECTIONS = ['sendrecv', 'sendonly', 'recvonly', 'inactive'] as const;

// Rows: what was offered. Columns: what the answer says, in the order of DIRECTIONS.
test.each([
  ['sendrecv', ['sendrecv', 'sendonly', 'recvonly', 'inactive']],
  ['sendonly', ['recvonly', 'inactive', 'recvonly', 'inactive']],
  ['recvonly', ['sendonly', 'sendonly', 'inactive', 'inactive']],
  ['inactive', ['inactive', 'inactive', 'inactive', 'inactive']],
] as const)('after %s an answer can say %j', (offered, expected) => {
  expect(DIRECTIONS.map((answered) => allowedInAnswer(offered, answered))).toEqual(expected);
});

function lines(written: readonly string[]): string {
  return ['v=0', 's=-', 't=0 0', ...written].map((line) => `${line}\r\n`).join('');
}

test('a section has the direction that it was given, the others keep theirs', () => {
  const anyDirection = fc.constantFrom(...DIRECTIONS);
  fc.assert(
    fc.property(
      fc.option(anyDirection, { nil: undefined }),
      fc.array(anyDirection, { maxLength: 3 }),
      anyDirection,
      (session, own, given) => {
        const sdp = parseSdp(
          lines([
            ...(session === undefined ? [] : [`a=${session}`]),
            'm=audio 4000 RTP/AVP 0',
            ...own.map((direction) => `a=${direction} `),
            'a=ptime:20',
            'm=audio 4002 RTP/AVP 8',
          ]),
        );
        const changed = parseSdp(formatSdp(setDirection(sdp, 0, given)));
        expect(changed.media.map(({ direction }) => direction)).toEqual([
          given,
          session ?? 'sendrecv',
        ]);
        expect(changed.media[0]?.lines).toContain('a=ptime:20');
      },
    ),
  );
});
