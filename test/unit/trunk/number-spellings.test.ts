/** A number is the same number however it is written: every legal spelling finds the same policy and leaves the same. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type RouteRequest, route } from '../../../src/trunk/policy.ts';
import { callingAt } from '../../../src/trunk/route-trace.ts';
import { telUser } from '../../../src/trunk/numbering.ts';
import { load, requestOf, tried } from './policy-fixtures.ts';

const config = load(`
  { to: "*", next-hop: one }
  { to: "+49900", next-hop: reject, code: 603 }
  { to: "80", next-hop: two }
  { to: "8", from: "+4930", next-hop: three }
`);

describe('a number is found', () => {
  test.each([
    ['sip:8%30777@sbc', 'sip:80777@127.0.0.1:6082'],
    ['sip:8-0123@sbc', 'sip:80123@127.0.0.1:6082'],
    ['sip:8%2d%30123;npdi@sbc', 'sip:80123;npdi@127.0.0.1:6082'],
    ['tel:+49-900-123', '603 rejected-by-policy'],
    ['tel:+49(900)123', '603 rejected-by-policy'],
    ['sip:+49.900.123@sbc;user=phone', '603 rejected-by-policy'],
    ['sip:%2B4%3990%30@sbc;user=PHONE', '603 rejected-by-policy'],
    ['sip:80-AB@sbc;user=phone', 'sip:80AB@127.0.0.1:6082;user=phone'],
    ['sip:80-AB@sbc', 'sip:80-AB@127.0.0.1:6082'],
    ['sip:joe%2dsmith%40x@sbc', 'sip:joe-smith%40x@127.0.0.1:6081'],
  ])('%s goes as %s', (requestUri, expected) => {
    const user = telUser(requestUri) ?? /:(.*)@/.exec(requestUri)?.[1] ?? '';
    const result = route(config, requestOf(config, user, { requestUri }));
    const outcome =
      result.type === 'route' ? result.hops[0]?.requestUri : `${result.status} ${result.reason}`;
    expect(outcome).toBe(expected);
  });

  test('by who calls', () => {
    const request = requestOf(config, '8', { callingNumber: '%304-0' });
    expect(tried(config, request)).toBe('one');
    expect(tried(config, { ...request, callingNumber: '%2B49-3%30' })).toBe('three');
    expect(tried(config, { ...request, callingNumber: '+49(30)' })).toBe('three');
  });
});

/** One legal way to write a character of a number, and what may stand before it. */
const spelling = fc.record({
  isEscaped: fc.boolean(),
  isLower: fc.boolean(),
  separator: fc.constantFrom('', '', '-', '.', '(', ')', '%2D', '%2e', '%28'),
});

const written = fc
  .stringMatching(/^\+?[0-9*#]{1,15}$/)
  .chain((number) =>
    fc.tuple(
      fc.constant(number),
      fc.array(spelling, { minLength: number.length, maxLength: number.length }),
    ),
  )
  .map(([number, ways]) => ({
    number,
    text: Array.from(number, (sign, index) => spelled(sign, ways[index])).join(''),
  }));

function spelled(
  sign: string,
  way: { isEscaped: boolean; isLower: boolean; separator: string } | undefined,
): string {
  if (way === undefined) return sign;
  const hex = sign.charCodeAt(0).toString(16);
  const escape = `%${way.isLower ? hex : hex.toUpperCase()}`;
  return `${way.separator}${way.isEscaped || sign === '#' ? escape : sign}`;
}

test('whatever the spelling: same policy, same numbers on the other side', () => {
  const prefix = fc.stringMatching(/^\+?[0-9]{1,4}$/);
  fc.assert(
    fc.property(written, written, fc.array(prefix, { maxLength: 6 }), (called, calling, more) => {
      const lines = more.map(
        (to, place) => `{ to: "${to}", next-hop: reject, code: 60${[0, 3, 4, 6][place % 4]} }`,
      );
      const all = load(
        ['{ to: "*", next-hop: one }', '{ to: "8", from: "+4", next-hop: two }', ...lines].join(
          '\n',
        ),
      );
      const plain: RouteRequest = requestOf(all, called.number, {
        callingNumber: calling.number,
        requestUri: 'sip:0@sbc',
      });
      const other = { ...plain, calledNumber: called.text, callingNumber: calling.text };
      const expected = route(all, plain);
      const result = route(all, other);
      expect(result).toEqual(expected);
      if (result.type === 'reject' || expected.type === 'reject') return;
      for (const hop of result.hops) {
        expect(callingAt(hop, calling.text)).toBe(callingAt(hop, calling.number));
      }
    }),
    { numRuns: 60 },
  );
});
