/** Cases of the rules about exposure, addresses, agents' health and what is never used. */
import { tlsPath } from '../../support/tls-files.ts';
import {
  ACCESS,
  ACCESS_MEDIA,
  ACCESS_OFF_LOOPBACK,
  ACCESS_PORT,
  adding,
  AGENT,
  behind,
  CORE,
  CORE_MEDIA,
  CORE_PORT,
  type LintCases,
  TO_CARRIER,
} from './lint-case.ts';
import { edited, SAMPLE } from './sample.ts';

const LONG_TOKEN = 'token: 0123456789abcdef';
const FILES = `certificate: ${tlsPath('sbc.pem')}, key: ${tlsPath('sbc.key')}`;
const EXPIRED = `certificate: ${tlsPath('expired.pem')}, key: ${tlsPath('expired.key')}`;

function tls(keys: string): string {
  return edited([CORE, `tls/127.0.0.1:6063 ], tls: { ${keys} }`]);
}

/** Media has the addresses of rtpengine, not those of the realms. */
const ON_RTPENGINE = 'media: { engine: rtpengine, rtpengine: [ { host: 127.0.0.1 } ] }';

export const SAFETY_CASES: LintCases = {
  'open-api': {
    finds: [
      [1, behind('api: { listen: 0.0.0.0:8080 }')],
      [12, `${SAMPLE}api: { listen: "[::]:8080" }\n`],
    ],
    passes: [behind(`api: { listen: 0.0.0.0:8080, ${LONG_TOKEN} }`), SAMPLE],
  },
  'short-token': {
    finds: [[1, behind('api: { listen: 0.0.0.0:8080, token: x }')]],
    passes: [
      behind(`api: { listen: 0.0.0.0:8080, ${LONG_TOKEN} }`),
      behind('api: { listen: 127.0.0.1:8080, token: x }'),
    ],
  },
  'plain-api': {
    finds: [[1, behind(`api: { listen: 192.0.2.1:8080, ${LONG_TOKEN} }`)]],
    passes: [behind(`api: { listen: 127.0.0.1:8080, ${LONG_TOKEN} }`)],
  },
  'default-secret': {
    finds: [
      [1, behind('sip: { drachtio: { host: 192.0.2.1, secret: cymru } }')],
      [6, adding(CORE, 'drachtio: { host: sip.example, secret: cymru }')],
    ],
    passes: [
      behind('sip: { drachtio: { secret: cymru } }'),
      behind('sip: { drachtio: { host: 192.0.2.1, secret: other } }'),
    ],
  },
  'other-engine': {
    finds: [
      [1, behind('sip: { drachtio: { secret: x } }')],
      [6, adding(CORE, 'drachtio: { secret: x }')],
      [1, behind('media: { rtpengine: [ { host: 192.0.2.30 } ] }')],
    ],
    passes: [behind('sip: { engine: drachtio, drachtio: { secret: x } }')],
  },
  'open-interface': {
    finds: [[5, edited(ACCESS_OFF_LOOPBACK)]],
    passes: [SAMPLE, edited([ACCESS_PORT, 'udp/192.0.2.1:6060'], [ACCESS, 'admit: agents'])],
  },
  'open-relay': {
    finds: [[5, edited(ACCESS_OFF_LOOPBACK, ['next-hop: carrier', 'next-hop: request-uri'])]],
    passes: [
      edited(ACCESS_OFF_LOOPBACK),
      edited(
        ACCESS_OFF_LOOPBACK,
        ['next-hop: carrier', 'next-hop: request-uri'],
        [ACCESS, 'allow: []'],
      ),
    ],
  },
  'allow-everybody': {
    finds: [
      [5, edited(ACCESS_OFF_LOOPBACK, [ACCESS, 'allow: [ 10.0.0.0/8, 0.0.0.0/0 ]'])],
      [5, edited(ACCESS_OFF_LOOPBACK, [ACCESS, 'allow: [ "::/0" ]'])],
    ],
    passes: [edited(ACCESS_OFF_LOOPBACK, [ACCESS, 'allow: [ 10.0.0.0/8 ]'])],
  },
  'allow-denied': {
    finds: [
      [6, adding(CORE, 'allow: [ 192.0.2.0/25 ], deny: [ 192.0.2.0/24 ]')],
      [6, adding(CORE, 'allow: [ "2001:db8::1" ], deny: [ "2001:db8::/32" ]')],
    ],
    passes: [adding(CORE, 'allow: [ 192.0.2.0/24 ], deny: [ 192.0.2.128/25 ]')],
  },
  'network-host-bits': {
    finds: [[6, adding(CORE, 'allow: [ 192.0.2.1/24 ]')]],
    passes: [adding(CORE, 'allow: [ 192.0.2.0/24, 192.0.2.1 ]')],
  },
  'digits-shown': {
    finds: [[1, behind('dtmf: { mask-digits: false }')]],
    passes: [behind('dtmf: { mask-digits: true }')],
  },
  'wildcard-media-address': {
    finds: [[2, edited([ACCESS_MEDIA, 'address: 0.0.0.0, port-min: 20000'])]],
    passes: [
      edited([ACCESS_MEDIA, 'address: 0.0.0.0, advertised: 192.0.2.1, port-min: 20000']),
      behind(ON_RTPENGINE, [ACCESS_MEDIA, 'address: 0.0.0.0, port-min: 20000']),
    ],
  },
  'wildcard-advertised': {
    finds: [[2, edited([ACCESS_MEDIA, `advertised: 0.0.0.0, ${ACCESS_MEDIA}`])]],
    passes: [edited([ACCESS_MEDIA, `advertised: 192.0.2.1, ${ACCESS_MEDIA}`])],
  },
  'wildcard-sip-address': {
    finds: [[6, edited([CORE_PORT, 'udp/0.0.0.0:6062'])]],
    passes: [SAMPLE],
  },
  'random-sip-port': {
    finds: [[6, edited([CORE_PORT, 'udp/127.0.0.1:0'])]],
    passes: [SAMPLE],
  },
  'agent-address-family': {
    finds: [[8, edited([AGENT, 'address: "[::1]:6080"'])]],
    passes: [
      edited([AGENT, 'address: "[::1]:6080"'], [CORE_PORT, '"udp/[::1]:6062"']),
      edited([AGENT, 'address: sip.example']),
    ],
  },
  'loopback-interface': {
    finds: [[8, edited([AGENT, 'address: 192.0.2.9'])]],
    passes: [
      edited([AGENT, 'address: 192.0.2.9'], [CORE_PORT, 'udp/192.0.2.1:6062']),
      edited([AGENT, 'address: 127.0.0.9']),
    ],
  },
  'loopback-media': {
    finds: [
      [3, edited([CORE_PORT, 'udp/192.0.2.1:6062'])],
      [
        2,
        edited(ACCESS_OFF_LOOPBACK, [
          ACCESS_MEDIA,
          'advertised: 127.0.0.2, address: 192.0.2.1, port-min: 20000',
        ]),
      ],
    ],
    passes: [
      edited(
        [CORE_PORT, 'udp/192.0.2.1:6062'],
        [CORE_MEDIA, `advertised: 192.0.2.1, ${CORE_MEDIA}`],
      ),
      behind(ON_RTPENGINE, [CORE_PORT, 'udp/192.0.2.1:6062']),
    ],
  },
  'media-family': {
    finds: [[3, edited([CORE_PORT, '"udp/[::1]:6062"'], [CORE, '"tcp/[::1]:6062" ]'])]],
    passes: [
      edited([CORE_PORT, '"udp/[::1]:6062"']),
      edited(
        [CORE_PORT, '"udp/[::1]:6062"'],
        [CORE, '"tcp/[::1]:6062" ]'],
        [CORE_MEDIA, 'address: "::1", port-min: 21000'],
      ),
    ],
  },
  'advertised-family': {
    finds: [[2, edited([ACCESS_MEDIA, `advertised: "2001:db8::1", ${ACCESS_MEDIA}`])]],
    passes: [
      edited([ACCESS_MEDIA, `advertised: 203.0.113.5, ${ACCESS_MEDIA}`]),
      edited([ACCESS_MEDIA, 'advertised: 203.0.113.5, address: "::", port-min: 20000']),
    ],
  },
  'private-media-address': {
    finds: [
      [
        3,
        edited([AGENT, 'address: 203.0.113.9'], [CORE_MEDIA, 'address: 10.0.0.1, port-min: 21000']),
      ],
      [
        3,
        edited(
          [AGENT, 'address: 203.0.113.9'],
          [CORE_MEDIA, 'address: 203.0.113.1, advertised: 192.168.0.1, port-min: 21000'],
        ),
      ],
    ],
    passes: [
      edited([AGENT, 'address: 10.0.0.9'], [CORE_MEDIA, 'address: 10.0.0.1, port-min: 21000']),
      behind(
        ON_RTPENGINE,
        [AGENT, 'address: 203.0.113.9'],
        [CORE_MEDIA, 'address: 10.0.0.1, port-min: 21000'],
      ),
      edited(
        [AGENT, 'address: 203.0.113.9'],
        [CORE_MEDIA, 'address: 10.0.0.1, advertised: 203.0.113.1, port-min: 21000'],
      ),
    ],
  },
  'rtpengine-ipv6': {
    finds: [
      [1, behind('media: { rtpengine: [ { host: "::1" } ] }')],
      [1, behind('media: { rtpengine: [ { host: "[::1]" } ] }')],
    ],
    passes: [behind('media: { rtpengine: [ { host: 127.0.0.1 } ] }')],
  },
  'tls-files': {
    finds: [[6, tls('certificate: /no/such.pem, key: /no/such.key')]],
    passes: [tls(FILES)],
  },
  'tls-certificate-ends': { finds: [[6, tls(EXPIRED)]], passes: [tls(FILES)] },
  'tls-unverified': { finds: [[6, tls(`${FILES}, verify: none`)]], passes: [tls(FILES)] },
  'tls-any-client': {
    finds: [[6, tls(`${FILES}, client-certificates: required`)]],
    passes: [tls(`${FILES}, client-certificates: required, ca: ${tlsPath('ca.pem')}`)],
  },
  'tls-without-port': { finds: [[6, adding(CORE, `tls: { ${FILES} }`)]], passes: [tls(FILES)] },
  'trusted-strangers': {
    finds: [[5, adding(ACCESS, 'trust: trusted')]],
    passes: [adding(CORE, 'trust: trusted'), adding(AGENT, 'trust: trusted')],
  },
  'trusted-networks': {
    finds: [[6, adding(CORE, 'trust: trusted, allow: [ 192.0.2.0/24 ]')]],
    passes: [adding(CORE, 'trust: trusted'), adding(CORE, 'allow: [ 192.0.2.0/24 ]')],
  },
  'header-rule-without-effect': {
    finds: [
      [
        5,
        adding(
          ACCESS,
          'header-rules: [ { direction: in, action: pass, header: P-Asserted-Identity } ]',
        ),
      ],
    ],
    passes: [
      adding(ACCESS, 'header-rules: [ { direction: in, action: pass, header: X-Account } ]'),
    ],
  },
  'transfers-for-strangers': {
    finds: [[5, adding(ACCESS, 'refer: local')]],
    passes: [adding(AGENT, 'refer: local'), adding(ACCESS, 'refer: relay')],
  },
  'replaces-for-strangers': {
    finds: [[5, adding(ACCESS, 'replaces: enabled')]],
    passes: [adding(AGENT, 'replaces: enabled')],
  },
  'hep-plain': {
    finds: [[1, behind('hep: { server: 192.0.2.7 }')]],
    passes: [behind('hep: { server: 127.0.0.1:9060 }'), SAMPLE],
  },
  'hep-empty': {
    finds: [[1, behind('hep: { server: 127.0.0.1, sip: false, decisions: false, digits: false }')]],
    passes: [behind('hep: { server: 127.0.0.1, sip: false }')],
  },
  'redirect-anywhere': {
    finds: [
      [5, adding(ACCESS, 'follow-redirects: any')],
      [8, adding(AGENT, 'follow-redirects: any')],
    ],
    passes: [adding(AGENT, 'follow-redirects: agents')],
  },
  'learnt-media': {
    finds: [
      [8, edited([AGENT, 'address: 203.0.113.9, media-source: learn-once'])],
      [8, edited([AGENT, 'address: 203.0.113.9'], [CORE, `${CORE}, media-source: learn-once`])],
    ],
    passes: [
      edited([AGENT, 'address: 10.0.0.9, media-source: learn-once']),
      edited([AGENT, 'address: 203.0.113.9']),
    ],
  },
  'cdr-folder': {
    finds: [[1, behind('cdr: { file: /dev/null/calls.jsonl }')]],
    passes: [behind('cdr: { file: /dev/null }'), behind('cdr: { file: "" }'), SAMPLE],
  },
  'no-call-records': {
    finds: [[1, behind('cdr: { file: "" }')]],
    passes: [behind('cdr: { file: data/calls.jsonl }')],
  },
  'unused-realm': {
    finds: [
      [
        4,
        edited([
          'sip-interfaces:\n',
          '  - { name: lab, media: { address: 127.0.0.1, port-min: 30000, port-max: 30009 } }\nsip-interfaces:\n',
        ]),
      ],
    ],
    passes: [SAMPLE],
  },
  'agent-host-name': {
    finds: [[8, edited([AGENT, 'address: sip.carrier.example'])]],
    passes: [SAMPLE],
  },
  'denied-agent': {
    finds: [[6, adding(CORE, 'deny: [ 127.0.0.0/8 ]')]],
    passes: [adding(CORE, 'deny: [ 192.0.2.0/24 ]'), edited([TO_CARRIER, TO_CARRIER])],
  },
};
