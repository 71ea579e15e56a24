import { describe, expect, test } from 'vitest';
import { explainCall } from '../../../src/cli/explain.ts';
import { configOf, edited } from '../config/sample.ts';

const config = configOf(
  `${edited(
    ['admit: anyone', 'admit: anyone, translate-in: arriving'],
    ['address: 127.0.0.1:6080 }', 'address: 127.0.0.1:6080, translate-out: leaving }'],
    [
      'local-policies:\n',
      'local-policies:\n' +
        '  - { to: "+49900", next-hop: reject, code: 603 }\n' +
        '  - { to: "+44", time: { days: mon-fri, hours: "08:00-18:00", zone: Europe/London }, next-hop: carrier }\n' +
        '  - { from-realm: access, cost: 5, next-hop: request-uri }\n' +
        '  - { methods: [ REGISTER ], next-hop: carrier }\n',
    ],
  )}translations:
  - { name: arriving, called: [ { strip-prefix: "0", add-prefix: "+49" } ], calling: [ { strip-prefix: "0", add-prefix: "+49" } ] }
  - { name: leaving, called: [ { strip-prefix: "+", add-prefix: "00" } ], calling: [ { strip-prefix: "+", add-prefix: "00" } ] }
`,
);

/** The lines before the parameters of the legs. */
function linesOf(question: Parameters<typeof explainCall>[1]): string[] {
  const { text } = explainCall(config, question);
  return (text.split('\n\n')[0] ?? '').trimEnd().split('\n').slice(1);
}

const QUESTION = { from: '192.0.2.1', calling: '03055', at: '2026-11-22T10:00:00Z' };

describe('the trace in words', () => {
  test('numbers, policies and hops in order', () => {
    expect(linesOf({ ...QUESTION, to: '0301' })).toEqual([
      'numbers   called 0301 -> +49301, calling 03055 -> +493055 (translate-in arriving)',
      'policy    local-policies[4]: from-realm access, to *, next-hop carrier',
      '  and then  local-policies[2]: from-realm access, to *, cost 5, next-hop request-uri',
      '  not for this  local-policies[3]: from-realm *, to *, methods REGISTER, next-hop carrier: it is for REGISTER',
      '  not for this  local-policies[5]: from-realm core, to *, next-hop request-uri: it is for realm core',
      '  for other requests  2',
      'callee    sip-interface core, session agent carrier: sip:0049301@127.0.0.1:6080 from 00493055 via sip:127.0.0.1:6080',
      '          then  sip-interface core, no session agent: sip:+49301@endpoint.invalid from +493055 via sip:endpoint.invalid',
    ]);
  });

  test('an agent that is down is passed over, and named', () => {
    const lines = linesOf({ ...QUESTION, to: '0301', down: 'carrier' });
    expect(lines).toContain(
      'policy    local-policies[2]: from-realm access, to *, cost 5, next-hop request-uri',
    );
    expect(lines).toContain(
      '  no hop  local-policies[4]: from-realm access, to *, next-hop carrier: no-agent-available, carrier out-of-service (assumed)',
    );
  });

  test('a rejection names the policy and its code', () => {
    const result = explainCall(config, { ...QUESTION, to: '0900123' });
    expect(result.exitCode).toBe(1);
    expect(result.text).toContain('rejected  603 rejected-by-policy by local-policies[0]\n');
    expect(result.text).toContain('  lost  local-policies[4]');
    expect(result.text).toContain(': to * is shorter than +49900\n');
  });

  test.each([
    ['2026-11-20T10:00:00Z', 'policy    local-policies[1]: from-realm *, to +44, time mon-fri'],
    ['2026-11-22T10:00:00Z', '  not for this  local-policies[1]: from-realm *, to +44, time'],
    ['2026-11-20T18:00:00Z', ': it is not mon-fri 08:00-18:00 Europe/London'],
  ])('at %s: %s', (at, expected) => {
    expect(explainCall(config, { ...QUESTION, to: '+441', at }).text).toContain(expected);
  });

  test('a request of another method asks no policy', () => {
    const result = explainCall(config, { ...QUESTION, to: '0301', method: 'register' });
    expect(result.text).toContain('methods   methods.register is not set\nanswered  405\n');
    expect(result.text).not.toContain('local-policies');
  });

  test('a tel URI', () => {
    const lines = linesOf({ ...QUESTION, to: 'tel:+49301;npdi;rn=+491' });
    expect(lines.join('\n')).toContain(
      'sip:0049301;npdi;rn=+491@127.0.0.1:6080;user=phone from 00493055',
    );
  });
});

test('the trace as JSON', () => {
  expect(explainCall(config, { ...QUESTION, to: '0301', down: 'carrier' }).json).toMatchObject({
    hops: [{ requestUri: 'sip:+49301@endpoint.invalid', calling: '+493055' }],
    trace: {
      called: { received: '0301', arrived: '+49301' },
      calling: { received: '03055', arrived: '+493055' },
      translateIn: ['arriving'],
      policies: [
        { index: 4, verdict: 'no-hop' },
        { index: 2, verdict: 'used', why: '' },
        { index: 3, verdict: 'not-for' },
        { index: 5, verdict: 'not-for' },
      ],
      others: 2,
      skipped: [{ agent: 'carrier', reason: 'out-of-service (assumed)' }],
    },
  });
});

test('a source that is not let in is told what keeps it out', () => {
  const guarded = configOf(
    edited(['admit: anyone', 'admit: anyone, deny: [ 192.0.2.0/24, 198.51.100.7 ]']),
  );
  const told = (from: string): string => explainCall(guarded, { from, to: '1' }).text;
  expect(told('192.0.2.9')).toContain(
    '192.0.2.9 is kept out by deny 192.0.2.0/24 of sip-interface access: 403',
  );
  expect(told('198.51.100.7:5060')).toContain('deny 198.51.100.7 of sip-interface access');
  const closed = configOf(edited(['admit: anyone', 'admit: agents']));
  expect(explainCall(closed, { from: '192.0.2.9', to: '1' }).text).toContain('no interface admits');
});

test.each([
  [{ at: 'yesterday' }, '--at yesterday is no time'],
  [{ down: 'carier' }, '--down carier is no session agent'],
])('%j is a misuse', (wrong, message) => {
  const result = explainCall(config, { ...QUESTION, to: '1', ...wrong });
  expect(result).toMatchObject({ exitCode: 2 });
  expect(result).toMatchObject({ text: '', errorText: expect.stringContaining(message) });
});
