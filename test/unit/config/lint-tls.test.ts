import { expect, test } from 'vitest';
import { lintConfig } from '../../../src/config/lint.ts';
import { readTlsFiles } from '../../../src/config/tls-files.ts';
import { tlsPath } from '../../support/tls-files.ts';
import { edited, validOf } from './sample.ts';

const CORE = 'tcp/127.0.0.1:6062 ]';
const SBC = `certificate: ${tlsPath('sbc.pem')}, key: ${tlsPath('sbc.key')}`;
const EXPIRED = `certificate: ${tlsPath('expired.pem')}, key: ${tlsPath('expired.key')}`;

/** What the linter says of an interface with these tls keys, shortened to the code and the names of files. */
function findingsOf(keys: string, port = 'tls/127.0.0.1:6063'): string[] {
  const text = edited([CORE, `${port} ], tls: { ${keys} }`]);
  return lintConfig(validOf(text)).map(
    ({ code, line, message }) => `${code}@${line}: ${message.replaceAll(tlsPath(''), '')}`,
  );
}

test.each<[keys: string, findings: string[]]>([
  [SBC, []],
  [`${SBC}, ca: ${tlsPath('ca.pem')}, client-certificates: required`, []],
  [
    'certificate: /no/such.pem, key: /no/such.key',
    [
      "tls-files@6: certificate /no/such.pem cannot be read: ENOENT: no such file or directory, open '/no/such.pem'",
    ],
  ],
  [
    `certificate: ${tlsPath('sbc.key')}, key: ${tlsPath('sbc.key')}`,
    ['tls-files@6: certificate sbc.key holds no certificate in PEM form'],
  ],
  [
    `certificate: ${tlsPath('sbc.pem')}, key: ${tlsPath('sbc.pem')}`,
    ['tls-files@6: key sbc.pem holds no private key in PEM form without pass phrase'],
  ],
  [
    `certificate: ${tlsPath('sbc.pem')}, key: ${tlsPath('carrier.key')}`,
    ['tls-files@6: key carrier.key does not belong to certificate sbc.pem'],
  ],
  [
    `${SBC}, ca: ${tlsPath('sbc.key')}`,
    ['tls-files@6: ca sbc.key holds no certificate in PEM form'],
  ],
  [
    EXPIRED,
    ['tls-certificate-ends@6: the certificate expired.pem is valid from 2020-01-01 to 2020-02-01'],
  ],
  [`${SBC}, verify: none`, ['tls-unverified@6: "core" sends calls to servers that prove nothing']],
  [
    `${SBC}, client-certificates: required`,
    ['tls-any-client@6: "core" takes certificates of every public CA'],
  ],
])('tls: { %s }', (keys, findings) => {
  expect(findingsOf(keys)).toEqual(findings);
});

test('files of an interface without tls port are not looked at', () => {
  const findings = findingsOf('certificate: /no/such.pem, key: /no/such.key', CORE.slice(0, -2));
  expect(findings).toEqual([
    'tls-without-port@6: interface "core" has certificates and no tls/… port',
  ]);
});

test('the texts come with the checks that were asked for', () => {
  const read = readTlsFiles({
    certificate: tlsPath('sbc.pem'),
    key: tlsPath('sbc.key'),
    ca: undefined,
    verify: 'none',
    clientCertificates: 'required',
  });
  expect(read).toMatchObject({ ca: undefined, verify: 'none', clientCertificates: 'required' });
  expect(read.certificate).toContain('BEGIN CERTIFICATE');
  expect(read.key).toContain('BEGIN PRIVATE KEY');
});
