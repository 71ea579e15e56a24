/**
 * Parameters that need no counterpart because they have their default, and what to do about those that have none.
 * A default is not written: the SBC does the same without.
 */
import { entryOf } from './acme-value.ts';

/** Says of most parameters that the feature is off. */
const OFF: ReadonlySet<string> = new Set([
  '',
  'none',
  'disabled',
  '0',
  'N/A',
  'inherit',
  'inherited',
  'unlimited',
  '0.0.0.0',
  'default',
]);

/** Defaults that are not a word for off; of several releases where they differ. `*` is for every element. */
const USUAL: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  '*': {
    state: ['enabled'],
    'app-protocol': ['SIP'],
    'access-control-trust-level': ['none', 'low', 'medium', 'high'],
  },
  'realm-config': {
    'mm-in-realm': ['enabled'],
    'mm-in-network': ['enabled'],
    'mm-same-ip': ['enabled'],
    'mm-in-system': ['enabled'],
    'bw-cac-non-mm': ['disabled'],
    'msm-release': ['disabled'],
    'generate-UDP-checksum': ['disabled', 'enabled'],
    'nat-trust-threshold': ['0'],
    'invalid-signal-threshold': ['0'],
    'maximum-signal-threshold': ['0'],
    'untrusted-signal-threshold': ['0'],
    'max-endpoints-per-nat': ['0'],
    'nat-invalid-message-threshold': ['0'],
    'wait-time-for-invalid-register': ['0'],
    'deny-period': ['30'],
    'untrust-cac-failure-threshold': ['0'],
    'subscription-id-type': ['END_USER_NONE'],
    'monitoring-filters': [''],
    'early-media-allow': [''],
    'restricted-latching': ['none', 'sdp'],
    'restriction-mask': ['32'],
    'user-cac-mode': ['none'],
    'icmp-detect-multiplier': ['0'],
    'session-max-life-limit': ['0', 'unlimited'],
    'refer-notify-provisional': ['none'],
    'dyn-refer-term': ['disabled'],
    'hold-refer-reinvite': ['disabled'],
    'srvcc-trfo': [''],
    'network-interfaces': [],
  },
  'sip-interface': {
    'proxy-mode': ['', 'Proxy'],
    'contact-mode': ['none'],
    'nat-interval': ['30'],
    'tcp-nat-interval': ['90'],
    'min-reg-expire': ['300'],
    'registration-interval': ['3600'],
    'max-nat-interval': ['3600'],
    'nat-int-increment': ['10'],
    'nat-test-increment': ['30'],
    'stop-recurse': ['401', '401,407', '401 407'],
    'port-map-start': ['0'],
    'port-map-end': ['0'],
    'untrusted-conn-timeout': ['0'],
    'network-id': [''],
    'tunnel-name': [''],
    'charging-vector-mode': ['pass'],
    'charging-function-address-mode': ['pass'],
    'uri-fqdn-domain': [''],
    'anonymous-priority': ['none'],
    'secured-network': ['disabled'],
    'implicit-service-route': ['disabled', 'enabled'],
    'rfc2833-payload': ['101', '0'],
    'rfc2833-mode': ['transparent'],
    'add-sdp-invite': ['disabled'],
    'xnq-state': ['none'],
    'tcp-keepalive': ['none'],
    options: [],
  },
  'session-agent': {
    'allow-next-hop-lp': ['enabled'],
    'loose-routing': ['enabled'],
    'send-media-session': ['enabled'],
    'ping-send-mode': ['keep-alive', 'continuous'],
    'stop-recurse': ['401', '401,407', '401 407'],
    'tcp-reconn-interval': ['0'],
    'rfc2833-mode': ['none'],
    'rfc2833-payload': ['0'],
    'tcp-keepalive': ['none'],
    'refer-notify-provisional': ['none'],
    'session-max-life-limit': ['0', 'unlimited'],
    'proxy-mode': ['', 'Proxy'],
    'reuse-connections': ['NONE', 'none'],
    'p-asserted-id': [''],
    'max-register-sustain-rate': ['0'],
    'enforcement-profile': [''],
    'max-sustain-rate': ['0'],
  },
  'session-group': {
    'stop-sag-recurse': ['401', '401,407', '401 407'],
    'load-balance-dns-query': ['hunt'],
  },
  'local-policy': { 'policy-priority': ['none', 'normal'] },
  'policy-attribute': policyAttribute(),
  'policy-attributes': policyAttribute(),
  'steering-pool': { 'network-interface': [] },
  'sip-manipulation': { 'split-headers': [''], 'join-headers': [''] },
  'session-timer-profile': {
    'request-refresher': ['uac', 'none'],
    'response-refresher': ['uas', 'none'],
  },
  'sip-config': sipConfig(),
  'session-constraints': { state: ['enabled'] },
};

function policyAttribute(): Readonly<Record<string, readonly string[]>> {
  return {
    'start-time': ['0000', '00:00'],
    'end-time': ['2400', '24:00'],
    'days-of-week': ['U-S'],
    lookup: ['single'],
    action: ['none', 'replace-uri'],
    'eloc-str-lkup': ['disabled'],
  };
}

function sipConfig(): Readonly<Record<string, readonly string[]>> {
  return {
    'operation-mode': ['dialog'],
    'registrar-port': ['0', '5060'],
    'registrar-domain': ['', '*'],
    'registrar-host': ['', '*'],
    'init-timer': ['500'],
    'max-timer': ['4000'],
    'trans-expire': ['32'],
    'initial-inv-trans-expire': ['0'],
    'invite-expire': ['180'],
    'inactive-dynamic-conn': ['32'],
    'red-max-trans': ['10000'],
    'red-sync-start-time': ['5000'],
    'red-sync-comp-time': ['1000'],
    'enforcement-profile': [''],
    'pac-method': [''],
    'pac-interval': ['10'],
    'pac-strategy': ['PropDist'],
    'pac-load-weight': ['1'],
    'pac-session-weight': ['1'],
    'pac-route-weight': ['1'],
    'pac-callid-lifetime': ['600'],
    'pac-user-lifetime': ['3600'],
    'red-sip-port': ['1988'],
    'sip-message-len': ['4096', '65535'],
    'max-udp-length': ['1500'],
    'enum-sag-match': ['disabled'],
    'extra-method-stats': ['enabled', 'disabled'],
    'extra-enum-stats': ['disabled'],
    'nat-mode': ['None', 'none'],
    'cac-on-initial-invite': ['disabled'],
    'reinvite-trying': ['false', 'true'],
  };
}

/** Whether `value` is what the SBC does anyway. */
export function isUsual(element: string, parameter: string, value: string): boolean {
  const own = entryOf(entryOf(USUAL, element) ?? {}, parameter);
  if (own !== undefined) return own.includes(value) || value === '';
  if (entryOf(USUAL['*'] ?? {}, parameter)?.includes(value) === true) return true;
  return OFF.has(value) && !(value === 'disabled' && parameter === 'state');
}

export interface Loss {
  readonly reason: string;
  readonly advice: string;
}

/** Why a parameter is lost and what to do, by `element/parameter`, by `parameter`, or by `element`. */
const LOSSES: Readonly<Record<string, Loss>> = {
  'realm-config/media-policy': loss(
    'marking of packets is of the operating system',
    'set DSCP by nftables or tc',
  ),
  'codec-policy': loss('codecs are not transcoded or reordered', 'let the ends agree on a codec'),
  'mm-in-realm': loss(
    'media always passes through the SBC',
    'nothing, unless media must go directly',
  ),
  'mm-in-network': loss(
    'media always passes through the SBC',
    'nothing, unless media must go directly',
  ),
  'msm-release': loss(
    'media always passes through the SBC',
    'nothing, unless media must go directly',
  ),
  'ext-policy-svr': loss('there is no external policy server', 'route by local-policies'),
  'registration-caching': loss(
    'registrations are not cached',
    'send REGISTER on by `methods: { register: AGENT }`',
  ),
  'route-to-registrar': loss(
    'registrations are not cached',
    'send REGISTER on by `methods: { register: AGENT }`',
  ),
  'response-map': loss(
    'answers are passed on as they are',
    'change them by header-rules, or at the peer',
  ),
  'local-response-map': loss(
    'answers of the SBC have fixed codes',
    'see docs/cdr.md for the codes',
  ),
  'trunk-group': loss('there are no trunk groups', 'use session-groups'),
  carriers: loss('carriers are not told apart', 'use from-agent in local-policies'),
  'stop-recurse': loss(
    '408 and 5xx go to the next agent',
    'name further codes in failover-codes of the group',
  ),
  'auth-attributes': loss(
    'the password is encrypted for the box alone',
    'write `auth` with user name and password on the agent',
  ),
  'auth-attribute': loss(
    'the password is encrypted for the box alone',
    'write `auth` with user name and password on the agent',
  ),
  'manipulation-string': loss('header rules have no variables', 'write the text into the rule'),
  'enforcement-profile': loss(
    'requests inside calls are passed on or refused by method',
    'see in-dialog-info, in-dialog-message and refer',
  ),
  'srtp-msm-passthrough': loss('SRTP passes through as it is', 'nothing'),
  'media-sec-policy': loss(
    'SRTP passes through, the SBC does not end it',
    'let both ends agree on SRTP, or neither',
  ),
};

const NO_COUNTERPART: Loss = { reason: 'has no counterpart', advice: '' };

export function lossOf(element: string, parameter: string): Loss {
  return (
    entryOf(LOSSES, `${element}/${parameter}`) ??
    entryOf(LOSSES, parameter === '' ? element : parameter) ??
    NO_COUNTERPART
  );
}

function loss(reason: string, advice: string): Loss {
  return { reason, advice };
}
