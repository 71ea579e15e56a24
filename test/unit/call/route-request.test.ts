import { expect, test } from 'vitest';
import { CallLeg } from '../../../src/call/call-leg.ts';
import { routeRequest } from '../../../src/call/route-request.ts';
import { configOf, edited } from '../config/sample.ts';
import { type Field, request } from './header-fixtures.ts';

function legOf(trust: string): CallLeg {
  const config = configOf(edited(['admit: anyone', `admit: anyone, trust: ${trust}`]));
  const [sipInterface] = config.sipInterfaces;
  const [realm] = config.realms;
  if (sipInterface === undefined || realm === undefined) throw new Error('no interface');
  const remote = '10.1.1.1:5060';
  return new CallLeg({
    side: 'caller',
    sipInterface,
    realm,
    agent: undefined,
    remote,
    transport: 'udp',
  });
}

const ANONYMOUS: Field = ['From', '"Anonymous" <sip:anonymous@anonymous.invalid>;tag=a'];
const ASSERTED: Field = ['P-Asserted-Identity', '<sip:+49301@x>, <tel:+49302>'];

test.each<[trust: string, fields: Field[], calling: string]>([
  ['untrusted', [], '1000'],
  ['trusted', [ASSERTED], '1000'],
  ['trusted', [ANONYMOUS, ASSERTED], '+49301'],
  ['untrusted', [ANONYMOUS, ASSERTED], 'anonymous'],
  ['trusted', [ANONYMOUS], 'anonymous'],
  ['trusted', [ANONYMOUS, ['P-Asserted-Identity', '"']], 'anonymous'],
])('%s, %j: called by %s', (trust, fields, calling) => {
  const asked = routeRequest(request('INVITE', ...fields), legOf(trust), 5);
  expect(asked).toMatchObject({ callingNumber: calling, fromRealm: 'access', atMs: 5 });
});

test.each([
  ['sip:2000@10.1.1.254', '2000'],
  ['sip:+49301;npdi@10.1.1.254;user=phone', '+49301;npdi'],
  ['tel:+49301;npdi;tgrp=x', '+49301;npdi'],
  ['sip:10.1.1.254', ''],
  ['http://x', ''],
])('%s is a request for %j', (uri, calledNumber) => {
  const asked = routeRequest({ ...request('INVITE'), uri }, legOf('untrusted'), 0);
  expect(asked).toMatchObject({ calledNumber, requestUri: uri, method: 'INVITE' });
});
