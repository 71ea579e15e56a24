/** Two legs and their messages, for tests of the header policy. */

import type { HeaderRule } from '../../../src/config/header-rule.ts';
import type { Trust } from '../../../src/config/config.ts';
import type { HeaderPath } from '../../../src/call/headers/header-crossing.ts';
import type { PolicyLeg } from '../../../src/call/headers/header-topology.ts';
import type { SipRequest, SipResponse } from '../../../src/wire/sip-message.ts';

export type Field = readonly [name: string, value: string];

/** Names of the caller's leg that no message for the callee may hold. */
export const CALLER_HOST = '10.1.1.1';
export const CALLER_DOMAIN = 'pbx.caller.example';

/** The leg with the peer `remote`, our address there and what is configured for it. */
export function legOf(
  remote: string,
  own: string,
  options: { readonly trust?: Trust; readonly rules?: readonly HeaderRule[] } = {},
): PolicyLeg {
  const { trust = 'untrusted', rules } = options;
  return {
    settings: { trust: { value: trust, origin: 'default' } },
    sipInterface: {
      sipPorts: own === '' ? [] : [{ transport: 'udp', address: own, port: 5060 }],
      headerRules: rules,
    },
    agent: undefined,
    remote: `${remote}:5060`,
  };
}

/** From the caller to the callee. */
export function path(
  from: Trust = 'untrusted',
  to: Trust = 'untrusted',
  rules: readonly HeaderRule[] = [],
): HeaderPath {
  return {
    from: legOf(CALLER_HOST, '10.1.1.254', { trust: from, rules }),
    to: legOf('10.2.2.2', '10.2.2.254', { trust: to }),
  };
}

const CALLER_FIELDS: readonly Field[] = [
  ['Via', `SIP/2.0/UDP ${CALLER_HOST}:5060;branch=z9hG4bKcallerbranch;received=10.1.1.77`],
  ['From', `"Alice" <sip:1000@${CALLER_DOMAIN}>;tag=callertag`],
  ['To', '<sip:2000@10.1.1.254>'],
  ['Call-ID', `secret-call-id@${CALLER_HOST}`],
  ['CSeq', '1 INVITE'],
  ['Contact', '<sip:1000@gateway.caller.example:5062>'],
];

export function request(method: string, ...fields: readonly Field[]): SipRequest {
  const given = new Set(fields.map(([name]) => name));
  const common = CALLER_FIELDS.filter(([name]) => !given.has(name));
  const headers = [...common, ...fields].map(([name, value]) => ({
    name,
    value: name === 'CSeq' ? `1 ${method}` : value,
  }));
  return { type: 'request', method, uri: 'sip:2000@sbc', headers, body: Buffer.alloc(0) };
}

export function response(status: number, reason: string, ...fields: readonly Field[]): SipResponse {
  const headers = [...CALLER_FIELDS, ...fields].map(([name, value]) => ({ name, value }));
  return { type: 'response', status, reason, headers, body: Buffer.alloc(0) };
}

/** A rule that does `action` to `header` in direction in, with `changed` keys. */
export function rule(
  action: HeaderRule['action'],
  header: string,
  changed: Partial<HeaderRule> = {},
): HeaderRule {
  return {
    direction: 'in',
    action,
    header,
    value: '',
    pattern: undefined,
    methods: [],
    messages: 'any',
    responseCodes: [],
    ifHeader: undefined,
    ifPattern: undefined,
    ...changed,
  };
}
