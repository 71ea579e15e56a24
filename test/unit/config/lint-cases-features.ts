/** Cases of the rules about feature keys. */
import { fileURLToPath } from 'node:url';
import { behind, CORE_PORT, type LintCases } from './lint-case.ts';
import { SAMPLE } from './sample.ts';

const HA1 = '0123456789abcdef0123456789abcdef';
const DOMAIN = 'domains: { pbx.example: [] }';
const GOOD = `${DOMAIN}, users: { "2001": { password: x } }`;
const HOOK = 'history: { file: ":memory:" }, provider: { kind: http';
const MODULE = 'history: { file: ":memory:" }, provider: { kind: module';
const OFF_LOOPBACK: readonly [string, string] = [CORE_PORT, 'udp/192.0.2.1:6062'];
const STORE_MODULE = fileURLToPath(
  new URL('../../support/feature-channel-store.ts', import.meta.url),
);

function section(written: string): string {
  const store = written.includes('provider:')
    ? ''
    : ', provider: { kind: sqlite, file: ":memory:" }';
  return `feature-keys: { enabled: true, ${written}${store} }`;
}

function keys(text: string): string {
  return behind(section(text));
}

export const FEATURE_CASES: LintCases = {
  'feature-keys-open': {
    finds: [[1, behind(section(`${DOMAIN}, authentication: none`), OFF_LOOPBACK)]],
    passes: [
      behind(section(`${DOMAIN}, authentication: none`)),
      behind(section(GOOD), OFF_LOOPBACK),
    ],
  },
  'feature-keys-without-domain': {
    finds: [[1, keys('users: { "2001": { password: x } }')]],
    passes: [keys(GOOD), SAMPLE],
  },
  'feature-domain-twice': {
    finds: [[1, keys('domains: { a.example: [ x.example ], b.example: [ X.example ] }')]],
    passes: [keys('domains: { a.example: [ x.example ], b.example: [ y.example ] }')],
  },
  'feature-keys-without-users': {
    finds: [[1, behind(section(DOMAIN), OFF_LOOPBACK)]],
    passes: [keys(DOMAIN), behind(section(`${DOMAIN}, users-from: registrar`), OFF_LOOPBACK)],
  },
  'feature-user-without-secret': {
    finds: [[1, keys(`${DOMAIN}, users: { "2001": {} }`)]],
    passes: [keys(GOOD)],
  },
  'feature-user-ha1': {
    finds: [[1, keys(`${DOMAIN}, users: { "2001": { ha1: abc } }`)]],
    passes: [keys(`${DOMAIN}, users: { "2001": { ha1: ${HA1} } }`)],
  },
  'feature-user-ha1-unusable': {
    finds: [[1, keys(`${DOMAIN}, algorithms: [ SHA-256 ], users: { "2001": { ha1: ${HA1} } }`)]],
    passes: [keys(`${DOMAIN}, users: { "2001": { ha1: ${HA1} } }`)],
  },
  'feature-account-foreign': {
    finds: [
      [1, keys(`${DOMAIN}, users: { "2001": { password: x, accounts: [ a@other.example ] } }`)],
    ],
    passes: [keys(`${DOMAIN}, users: { "2001": { password: x, accounts: [ a@PBX.example ] } }`)],
  },
  'feature-networks-trusted': {
    finds: [[1, keys(`${GOOD}, trusted-networks: [ 127.0.0.0/8, 10.0.0.0/8 ]`)]],
    passes: [keys(`${GOOD}, trusted-networks: [ 127.0.0.0/8, "::1" ]`)],
  },
  'feature-webhook-unsigned': {
    finds: [[1, keys(`${GOOD}, ${HOOK}, url: "https://hook.example" }`)]],
    passes: [keys(`${GOOD}, ${HOOK}, url: "https://hook.example", token: t }`)],
  },
  'feature-webhook-plain': {
    finds: [[1, keys(`${GOOD}, ${HOOK}, url: "http://hook.example", insecure: true, token: t }`)]],
    passes: [keys(`${GOOD}, ${HOOK}, url: "http://127.0.0.1:9/", insecure: true, token: t }`)],
  },
  'feature-notify-cut': {
    finds: [[2, `sip: { engine: drachtio, drachtio: { secret: x } }\n${behind(section(GOOD))}`]],
    passes: [keys(GOOD)],
  },
  'feature-calls-without-keys': {
    finds: [[1, behind('feature-keys: { enabled: false, apply-to-calls: true }')]],
    passes: [keys(`${GOOD}, apply-to-calls: true`)],
  },
  'forward-anywhere': {
    finds: [[1, keys(`${GOOD}, apply-to-calls: true`)]],
    passes: [keys(`${GOOD}, apply-to-calls: true, targets: { deny: [ "^112$" ] }`), keys(GOOD)],
  },
  'feature-store-folder': {
    finds: [[1, keys(`${GOOD}, provider: { kind: sqlite, file: /dev/null/features.db }`)]],
    passes: [keys(GOOD)],
  },
  'feature-module': {
    finds: [[1, keys(`${GOOD}, ${MODULE}, path: /no/such.ts }`)]],
    passes: [keys(`${GOOD}, ${MODULE}, path: ${STORE_MODULE} }`)],
  },
  'expires-order': {
    finds: [[1, behind('feature-keys: { subscriptions: { expires-max: 60s } }')]],
    passes: [keys(GOOD)],
  },
};
