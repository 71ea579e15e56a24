import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { certificateProblem } from '../../../../src/engine/transport/tls-names.ts';

describe.each<[subjectAltName: string | undefined, fitting: string[], others: string[]]>([
  [
    'DNS:sip.example.com',
    ['sip.example.com', 'SIP.Example.com', 'sip.example.com.'],
    ['example.com', 'a.sip.example.com'],
  ],
  ['DNS:a.example, DNS:b.example', ['a.example', 'b.example'], ['c.example']],
  ['DNS:*.example.com', [], ['sip.example.com']],
  ['URI:sip:example.com', ['example.com'], ['sip.example.com']],
  ['URI:sip:example.com:5061;transport=tcp', ['example.com'], []],
  ['URI:sip:alice@example.com', [], ['example.com']],
  ['URI:sips:example.com, URI:https://example.com', [], ['example.com']],
  // A SIP URI is the whole truth, a DNS name beside it counts for other protocols.
  ['URI:sip:example.com, DNS:www.example.com', ['example.com'], ['www.example.com']],
  ['URI:https://www.example.com, DNS:example.com', ['example.com'], ['www.example.com']],
  ['IP Address:192.0.2.7, DNS:example.com', ['192.0.2.7', 'example.com'], ['192.0.2.8']],
  ['IP Address:2001:DB8:0:0:0:0:0:1', ['2001:db8::1'], ['2001:db8::2']],
  ['DNS:"a.example, DNS:b.example"', [], ['a.example', 'b.example']],
  ['email:a@example.com', [], ['example.com', 'common.example']],
  [undefined, ['common.example'], ['example.com']],
])('a certificate with %s', (subjectAltName, fitting, others) => {
  const problemOf = (host: string): string | undefined =>
    certificateProblem(host, { subjectAltName, commonName: 'common.example' });

  test(`fits ${fitting.join(', ') || 'nothing'}, not ${others.join(', ')}`, () => {
    expect(fitting.filter((host) => problemOf(host) !== undefined)).toEqual([]);
    expect(others.filter((host) => problemOf(host) === undefined)).toEqual([]);
  });
});

test('several common names are none', () => {
  const names = { subjectAltName: undefined, commonName: ['a.example', 'b.example'] };
  expect(certificateProblem('a.example', names)).toBe(
    'certificate is for no host, not for a.example',
  );
});

test('the problem says what the certificate is for', () => {
  const names = { subjectAltName: 'DNS:a.example, DNS:b.example', commonName: 'c' };
  expect(certificateProblem('sip.example', names)).toBe(
    'certificate is for a.example, b.example, not for sip.example',
  );
});

test('any text is judged without an exception', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (host, subjectAltName) => {
      const problem = certificateProblem(host, { subjectAltName, commonName: undefined });
      expect(problem ?? '').toSatisfy((text: string) => text === '' || text.endsWith(host));
    }),
  );
});
