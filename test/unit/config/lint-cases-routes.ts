/** Cases of the rules about routes, numbers, agents and capacity. */
import {
  ACCESS,
  adding,
  AGENT,
  behind,
  CORE,
  type LintCases,
  TO_CARRIER,
  TO_URI,
  withPolicies,
} from './lint-case.ts';
import { edited, SAMPLE } from './sample.ts';

const LAB_REALM =
  '  - { name: lab, media: { address: 127.0.0.1, port-min: 30000, port-max: 30009 } }\n';
const LAB = '  - { name: lab, realm: lab, sip-ports: [ udp/127.0.0.1:6064 ], admit: agents }\n';
const TWO = '  - { name: two, realm: core, address: 127.0.0.1:6082 }\nlocal-policies:';
const DAY = 'time: { days: mon-fri, hours: "08:00-18:00" }';
const NOON = 'time: { days: mon-fri, hours: "12:00-13:00" }';
const NATIONAL =
  'translations: [ { name: n, called: [ { strip-prefix: "+49", add-prefix: "0" } ] } ]';

function group(keys: string): string {
  return behind(
    `session-groups: [ { name: g, ${keys} } ]`,
    ['local-policies:', TWO],
    ['next-hop: carrier', 'next-hop: g'],
    ['next-hop: request-uri', 'next-hop: two'],
  );
}

function pinged(keys: string): string {
  return adding(AGENT, `options-ping: ${keys}`);
}

function translated(rules: string): string {
  return behind(`translations: [ { name: n, called: [ ${rules} ] } ]`, [
    ACCESS,
    `${ACCESS}, translate-in: n`,
  ]);
}

/** The sample with a translation for all that comes in from access, and a route for one prefix. */
function plusTranslated(to: string, rule: string): string {
  return translated(rule).replace(
    TO_CARRIER,
    `{ from-realm: access, to: "${to}", next-hop: carrier }`,
  );
}

export const ROUTE_CASES: LintCases = {
  'unreachable-route': {
    finds: [
      [12, withPolicies('{ from-realm: access, to: "*", next-hop: carrier }')],
      [12, withPolicies('{ to: "*", next-hop: carrier }')],
      [12, withPolicies('{ from-realm: access, to: "49", priority: 200, next-hop: carrier }')],
    ],
    passes: [withPolicies('{ from-realm: access, to: "+49", next-hop: carrier }'), SAMPLE],
  },
  'no-route': {
    finds: [
      [6, edited([`  - ${TO_URI}\n`, ''])],
      [6, edited([TO_URI, '{ from-realm: core, methods: [ MESSAGE ], next-hop: carrier }'])],
    ],
    passes: [SAMPLE, edited([TO_URI, '{ from-agent: carrier, next-hop: request-uri }'])],
  },
  'ambiguous-realm': {
    finds: [
      [
        13,
        edited(
          ['sip-interfaces:\n', `${LAB_REALM}sip-interfaces:\n${LAB}`],
          [TO_CARRIER, '{ to: "*", next-hop: carrier }'],
        ),
      ],
    ],
    passes: [
      SAMPLE,
      edited(
        ['sip-interfaces:\n', `${LAB_REALM}sip-interfaces:\n${LAB}`],
        ['next-hop: request-uri }', 'next-hop: request-uri, to-realm: access }'],
      ),
    ],
  },
  'overlapping-times': {
    finds: [
      [
        13,
        withPolicies(
          `{ from-realm: access, to: "1", ${DAY}, next-hop: carrier }`,
          `{ from-realm: access, to: "1", ${NOON}, next-hop: reject }`,
        ),
      ],
    ],
    passes: [
      withPolicies(
        `{ from-realm: access, to: "1", ${DAY}, next-hop: carrier }`,
        `{ from-realm: access, to: "1", ${NOON}, cost: 5, next-hop: reject }`,
      ),
    ],
  },
  'time-gap': {
    finds: [[10, edited([TO_CARRIER, `{ from-realm: access, ${DAY}, next-hop: carrier }`])]],
    passes: [withPolicies(`{ from-realm: access, to: "1", ${DAY}, next-hop: reject }`)],
  },
  'method-not-served': {
    finds: [
      [
        12,
        withPolicies('{ from-realm: access, to: "1", methods: [ MESSAGE ], next-hop: carrier }'),
      ],
    ],
    passes: [SAMPLE],
  },
  'bare-number': {
    finds: [[10, edited(['to: "*", next-hop: carrier', 'to: 0049, next-hop: carrier'])]],
    passes: [edited(['to: "*", next-hop: carrier', 'to: "0049", next-hop: carrier'])],
  },
  'unmatched-spelling': {
    finds: [
      [12, withPolicies('{ from-realm: access, to: "+49-900", next-hop: reject }')],
      [12, withPolicies('{ from-realm: access, to: "49*", next-hop: reject }')],
    ],
    passes: [withPolicies('{ from-realm: access, to: "+49900", next-hop: reject }')],
  },
  'empty-number': {
    finds: [[1, translated('{ pattern: "^.*$", replace: "" }')]],
    passes: [translated('{ pattern: "^0(.*)$", replace: "1$1" }')],
  },
  'shadowed-rule': {
    finds: [
      [
        1,
        translated(
          '{ strip-prefix: "0", add-prefix: "1" }, { strip-prefix: "00", add-prefix: "+" }',
        ),
      ],
    ],
    passes: [
      translated('{ strip-prefix: "00", add-prefix: "+" }, { strip-prefix: "0", add-prefix: "1" }'),
    ],
  },
  'translated-away': {
    finds: [
      [11, plusTranslated('00', '{ strip-prefix: "00", add-prefix: "+" }')],
      [11, plusTranslated('0049', '{ strip-prefix: "00", add-prefix: "+" }')],
      [11, plusTranslated('0049', '{ pattern: "^00(.*)$", replace: "+$1" }')],
      [11, plusTranslated('49', '{ pattern: "^([1-9].*)$", replace: "+$1" }')],
    ],
    passes: [
      plusTranslated('+49', '{ strip-prefix: "00", add-prefix: "+" }'),
      plusTranslated('004', '{ strip-prefix: "0049", add-prefix: "0" }'),
      plusTranslated('0', '{ strip-prefix: "00", add-prefix: "+" }'),
      plusTranslated('00', '{ strip-prefix: "00", add-prefix: "001" }'),
      plusTranslated('00', '{ strip-prefix: "00" }'),
      plusTranslated('49', '{ pattern: "^(4[0-9]{4})$", replace: "+49$1" }'),
      plusTranslated('0049', '{ strip-prefix: "00", add-prefix: "+" }').replace(
        `${AGENT} }`,
        `${AGENT} }\n  - { name: pbx, realm: access, address: 127.0.0.1:6070, translate-in: none }`,
      ),
    ],
  },
  'unused-translation': {
    finds: [[1, behind(NATIONAL)]],
    passes: [behind(NATIONAL, [ACCESS, `${ACCESS}, translate-in: n`])],
  },
  'unused-next-hop': {
    finds: [[8, edited(['next-hop: carrier', 'next-hop: request-uri'])]],
    passes: [SAMPLE, group('members: [ carrier, two ]')],
  },
  'same-source': {
    finds: [
      [9, edited(['local-policies:', TWO.replace('6082', '6080')])],
      [9, edited([':6080', ''], ['local-policies:', TWO.replace('6082', '5060')])],
      [9, edited([':6080', ':5060'], ['local-policies:', TWO.replace(':6082', '')])],
    ],
    passes: [
      edited(['local-policies:', TWO]),
      edited([':6080', ''], ['local-policies:', TWO.replace('6082', '5061')]),
    ],
  },
  'route-to-ourselves': {
    finds: [
      [8, edited([AGENT, 'address: 127.0.0.1:6062'])],
      [8, edited(['udp/127.0.0.1:6060', 'udp/0.0.0.0:6060'], [AGENT, 'address: 127.0.0.9:6060'])],
    ],
    passes: [SAMPLE, edited([AGENT, 'address: 127.0.0.1:6060, transport: tcp'])],
  },
  'route-back': {
    finds: [
      [12, withPolicies('{ from-agent: carrier, to: "1", next-hop: carrier }')],
      [
        13,
        behind('session-groups: [ { name: g, members: [ carrier ] } ]') +
          '  - { from-agent: carrier, to: "1", next-hop: g }\n',
      ],
      [8, adding(AGENT, 'methods: { message: carrier }')],
    ],
    passes: [
      withPolicies('{ from-agent: carrier, to: "1", next-hop: reject }'),
      adding(AGENT, 'methods: { message: reject }'),
    ],
  },
  'unserved-to-realm': {
    finds: [
      [
        12,
        edited(
          ['sip-interfaces:\n', `${LAB_REALM}sip-interfaces:\n`],
          ['next-hop: request-uri }', 'next-hop: request-uri, to-realm: lab }'],
        ),
      ],
    ],
    passes: [edited(['next-hop: request-uri }', 'next-hop: request-uri, to-realm: access }'])],
  },
  'vanished-peers': {
    finds: [
      [5, adding(ACCESS, 'session-timer: disabled, dialog-ping: 0')],
      [8, edited([CORE, `${CORE}, session-timer: disabled`], [AGENT, `${AGENT}, dialog-ping: 0`])],
    ],
    passes: [adding(ACCESS, 'session-timer: disabled'), adding(ACCESS, 'dialog-ping: 0')],
  },
  'unused-weights': {
    finds: [[1, group('members: [ carrier, two ], weights: { carrier: 2 }')]],
    passes: [group('members: [ carrier, two ], strategy: weighted, weights: { carrier: 2 }')],
  },
  'failover-alone': {
    finds: [[1, group('members: [ carrier ], failover-codes: [ 404 ]')]],
    passes: [group('members: [ carrier, two ], failover-codes: [ 404 ]')],
  },
  'group-without-ping': {
    finds: [[1, group('members: [ carrier, two ]')]],
    passes: [group('members: [ carrier ]')],
  },
  'detection-time': { finds: [[8, pinged('{ interval: 30s }')]], passes: [SAMPLE] },
  'slow-detection': {
    finds: [[8, pinged('{ interval: 120s, down-after: 3 }')]],
    passes: [pinged('{ interval: 30s }')],
  },
  'shortened-timeout': {
    finds: [[8, pinged('{ interval: 2s, timeout: 10s }')]],
    passes: [pinged('{ interval: 10s, timeout: 10s }'), pinged('{ interval: 2s }')],
  },
  'hasty-detection': {
    finds: [[8, pinged('{ interval: 30s, down-after: 1 }')]],
    passes: [pinged('{ interval: 30s, down-after: 2 }')],
  },
  'overload-thresholds': {
    finds: [
      [1, behind('admission: { overload: { lag-high: 50ms } }')],
      [1, behind('admission: { overload: { cpu-high: 80, cpu-low: 81 } }')],
    ],
    passes: [behind('admission: { overload: { lag-high: 50ms, lag-low: 20ms } }')],
  },
  'overload-unguarded': {
    finds: [[1, behind('admission: { overload: { lag-high: 0, cpu-high: 0 } }')]],
    passes: [behind('admission: { overload: { lag-high: 0 } }'), SAMPLE],
  },
  'limit-without-effect': {
    finds: [
      [8, adding(AGENT, 'constraints: { max-sessions: 10, max-inbound-sessions: 11 }')],
      [6, adding(CORE, 'constraints: { max-burst-rate: 5, max-sustain-rate: 6 }')],
      [1, behind('admission: { constraints: { max-burst-rate: 5, max-inbound-burst-rate: 6 } }')],
    ],
    passes: [
      adding(AGENT, 'constraints: { max-sessions: 10, max-inbound-sessions: 10 }'),
      adding(AGENT, 'constraints: { max-inbound-sessions: 10 }'),
    ],
  },
  'limits-out-of-order': {
    finds: [
      [1, behind('sip: { limits: { message-bytes: 8192 } }')],
      [1, behind('sip: { limits: { agent-per-second: 100 } }')],
      [1, behind('sip: { limits: { source-per-second: 0, agent-per-second: 0 } }')],
    ],
    passes: [behind('sip: { limits: { agent-per-second: 0, message-bytes: 20000 } }'), SAMPLE],
  },
  'min-se-below-90': {
    finds: [[5, adding(ACCESS, 'min-se: 60')]],
    passes: [adding(ACCESS, 'min-se: 90')],
  },
  'session-expires-below-min-se': {
    finds: [[5, adding(ACCESS, 'session-expires: 200, min-se: 300')]],
    passes: [adding(ACCESS, 'session-expires: 300, min-se: 300')],
  },
};
