import { expect, test } from 'vitest';
import { edited, problemLines } from './sample.ts';

test.each<[name: string, from: string, to: string, problems: string[]]>([
  [
    'unknown key, near one',
    'admit: anyone',
    'admitt: anyone',
    ['5:71: sip-interfaces[0].admitt: unknown key "admitt" (did you mean "admit"?)'],
  ],
  [
    'unknown key, other separators',
    'sip-ports: [ udp/127.0.0.1:6060 ]',
    'sip_ports: [ udp/127.0.0.1:6060 ]',
    [
      '5:5: sip-interfaces[0].sip-ports: "sip-ports" is required here',
      '5:36: sip-interfaces[0].sip_ports: unknown key "sip_ports" (did you mean "sip-ports"?)',
    ],
  ],
  [
    'key of another place',
    'to: "*", next-hop: carrier',
    'to: "*", next-hop: carrier, rfc2833-mode: dual',
    [
      '10:55: local-policies[0].rfc2833-mode: unknown key "rfc2833-mode" ("rfc2833-mode" belongs to sip-interfaces[] or session-agents[])',
    ],
  ],
  [
    'name used on the box',
    'admit: anyone',
    'kpml-2833-interworking: enabled',
    [
      '5:71: sip-interfaces[0].kpml-2833-interworking: unknown key "kpml-2833-interworking" (here it is called "kpml-interworking")',
    ],
  ],
  [
    'word that is no choice',
    'admit: anyone',
    'admit: anybody',
    ['5:78: sip-interfaces[0].admit: "anybody" is not one of agents, anyone'],
  ],
  [
    'inherit on an interface',
    'admit: anyone',
    'kpml-interworking: inherit',
    ['5:90: sip-interfaces[0].kpml-interworking: "inherit" is not one of enabled, disabled'],
  ],
  [
    'payload type out of range',
    'admit: anyone',
    'rfc2833-payload: 95',
    ['5:88: sip-interfaces[0].rfc2833-payload: "95" is no whole number from 96 to 127'],
  ],
  [
    'payload 0 on an interface',
    'admit: anyone',
    'rfc2833-payload: 0',
    ['5:88: sip-interfaces[0].rfc2833-payload: "0" is no whole number from 96 to 127'],
  ],
  [
    'payload type on an agent',
    'address: 127.0.0.1:6080',
    'address: 127.0.0.1:6080, rfc2833-payload: 128',
    ['8:77: session-agents[0].rfc2833-payload: "128" is no whole number from 96 to 127'],
  ],
  [
    'address that is none',
    'media: { address: 127.0.0.1, port-min: 20000',
    'media: { address: 127.0.0.300, port-min: 20000',
    ['2:39: realms[0].media.address: "127.0.0.300" is no IP address'],
  ],
  [
    'port that is none',
    'udp/127.0.0.1:6060',
    'udp/127.0.0.1:66060',
    [
      '5:49: sip-interfaces[0].sip-ports[0]: "udp/127.0.0.1:66060" is no SIP port such as udp/127.0.0.1:5060 or tls/[::1]:5061',
    ],
  ],
  [
    'network that is none',
    'admit: anyone',
    'allow: [ 10.0.0.0/33 ]',
    [
      '5:80: sip-interfaces[0].allow[0]: "10.0.0.0/33" is no network such as 192.0.2.0/24 or 2001:db8::/32',
    ],
  ],
  [
    'duplicate key',
    'admit: anyone',
    'admit: anyone, admit: agents',
    ['5:86: "admit" is already set in the same mapping'],
  ],
  [
    'missing key',
    'realm: core, address',
    'address',
    ['8:5: session-agents[0].realm: "realm" is required here'],
  ],
  [
    'variable outside of secrets',
    'udp/127.0.0.1:6060',
    '"udp/${HOST}:6060"',
    [
      '5:49: sip-interfaces[0].sip-ports[0]: ${HOST} is filled in for secrets only, and this field is none',
      '5:49: sip-interfaces[0].sip-ports[0]: "udp/${HOST}:6060" is no SIP port such as udp/127.0.0.1:5060 or tls/[::1]:5061',
    ],
  ],
  [
    'anchor and alias',
    'admit: anyone',
    'admit: *x',
    ['5:78: sip-interfaces[0].admit: aliases (*name) are not supported'],
  ],
  [
    'duration without unit',
    'realms:',
    'media: { inactivity-timeout: 60 }\nrealms:',
    ['1:30: media.inactivity-timeout: "60" is no duration: a whole number with ms, s, m, h or d'],
  ],
  [
    'duration out of range',
    'realms:',
    'media: { inactivity-timeout: 10ms }\nrealms:',
    ['1:30: media.inactivity-timeout: "10ms" is outside 1s to 1d'],
  ],
  [
    'list in place of mapping',
    'realms:',
    'media: [ relay ]\nrealms:',
    ['1:8: media: expected a mapping, found a list'],
  ],
  [
    'unknown provider',
    'realms:',
    'feature-keys: { provider: { kind: sqlit } }\nrealms:',
    ['1:35: feature-keys.provider.kind: must be one of sqlite, http, module, postgres'],
  ],
])('%s', (_, from, to, problems) => {
  expect(problemLines(edited([from, to]))).toEqual(problems);
});
