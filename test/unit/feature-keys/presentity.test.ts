import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { accountOf, DomainTable, plainUserOf } from '../../../src/feature-keys/presentity.ts';

const DOMAINS = new DomainTable({
  'pbx.example': ['192.0.2.10', 'SBC.pbx.example', '2001:db8::1'],
  'other.example': [],
});
const FROM = 'sip:2001@phone.invalid';

describe('the account a SUBSCRIBE names', () => {
  test.each([
    ['sip:2001@pbx.example', 'sip:2001@pbx.example'],
    ['sips:2001@PBX.example:5061;transport=tls', 'sip:2001@pbx.example'],
    ['sip:2001@192.0.2.10:5070', 'sip:2001@pbx.example'],
    ['sip:2001@sbc.PBX.example.', 'sip:2001@pbx.example'],
    ['sip:2001@[2001:db8::1]', 'sip:2001@pbx.example'],
    ['sip:%32001@other.example', 'sip:2001@other.example'],
    ['sip:Alice@pbx.example', 'sip:Alice@pbx.example'],
    ['sip:al:secret@pbx.example', 'sip:al@pbx.example'],
    ['sip:pbx.example', 'sip:2001@pbx.example'],
  ])('%s is %s', (uri, presentity) => {
    expect(accountOf(uri, FROM, DOMAINS)).toMatchObject({ account: { presentity } });
  });

  test.each([
    ['tel:+15551230111', 416],
    ['mailto:2001@pbx.example', 416],
    ['2001', 416],
    ['sip:2001@elsewhere.example', 404],
    ['sip:2001@pbx.example.invalid', 404],
    ['sip:a%40other.example@pbx.example', 404],
    ['sip:a%00@pbx.example', 404],
    ['sip:a%zz@pbx.example', 404],
    ['sip:%20@pbx.example', 404],
    [`sip:${'9'.repeat(300)}@pbx.example`, 404],
  ])('%s is refused with %i', (uri, status) => {
    expect(accountOf(uri, FROM, DOMAINS)).toEqual({ type: 'refused', status });
  });

  test('without a user anywhere there is no account', () => {
    expect(accountOf('sip:pbx.example', undefined, DOMAINS)).toMatchObject({ status: 404 });
    expect(accountOf('sip:pbx.example', 'sip:phone.invalid', DOMAINS)).toMatchObject({
      status: 404,
    });
  });

  test('names of the prototype are no domains', () => {
    expect(accountOf('sip:a@constructor', FROM, DOMAINS)).toMatchObject({ status: 404 });
  });
});

test('whatever a URI holds, the user is one word or nothing', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const user = plainUserOf(`sip:${text}@pbx.example`);
      expect(user ?? 'none').toMatch(/^[^\s@<>"]+$/u);
    }),
  );
});
