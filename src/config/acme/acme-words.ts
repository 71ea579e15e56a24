/** Names by which the reader tells elements, elements inside of them, and lists of values apart. */

/** Elements that stand at the top of a running configuration; others are recognised by what is indented below them. */
export const TOP_ELEMENTS: ReadonlySet<string> = new Set([
  'access-control',
  'account-config',
  'allowed-elements-profile',
  'authentication',
  'bootparam',
  'capture-receiver',
  'certificate-record',
  'class-profile',
  'codec-policy',
  'dns-config',
  'enforcement-profile',
  'enum-config',
  'ext-policy-server',
  'filter-config',
  'h323-config',
  'h323-stack',
  'host-route',
  'http-server',
  'iwf-config',
  'license',
  'local-accounts',
  'local-address',
  'local-policy',
  'local-response-map',
  'local-routing-config',
  'media-manager',
  'media-manager-config',
  'media-policy',
  'media-profile',
  'media-sec-policy',
  'network-interface',
  'network-parameters',
  'ntp-config',
  'ntp-sync',
  'phy-interface',
  'playback-config',
  'q850-sip-map',
  'qos-constraints',
  'realm-config',
  'realm-group',
  'redundancy-config',
  'rph-policy',
  'rph-profile',
  'sdes-profile',
  'security-config',
  'security-policy',
  'session-agent',
  'session-agent-id-rule',
  'session-constraints',
  'session-group',
  'session-recording-group',
  'session-recording-server',
  'session-router',
  'session-router-config',
  'session-timer-profile',
  'session-translation',
  'sip-config',
  'sip-feature',
  'sip-feature-caps',
  'sip-interface',
  'sip-isup-profile',
  'sip-manipulation',
  'sip-monitoring',
  'sip-nat',
  'sip-profile',
  'sip-q850-map',
  'sip-recursion-policy',
  'sip-response-map',
  'snmp-community',
  'snmp-user-entry',
  'spl-config',
  'ssh-config',
  'static-flow',
  'steering-pool',
  'surrogate-agent',
  'system-access-list',
  'system-config',
  'test-pattern-rule',
  'test-policy',
  'tls-global',
  'tls-profile',
  'translation-rules',
  'trap-receiver',
  'web-server-config',
]);

/** Parameters of the elements that may stand without deeper indentation below their heading. */
export const INNER_ELEMENTS: ReadonlyMap<string, ReadonlySet<string>> = innerElements();

function innerElements(): ReadonlyMap<string, ReadonlySet<string>> {
  const sipPort = words(
    'address port transport-protocol tls-profile allow-anonymous multi-home-addrs ims-aka-profile',
  );
  const policyAttribute = words(
    'next-hop realm action terminate-recursion carrier start-time end-time days-of-week cost state app-protocol methods media-profiles lookup next-key eloc-str-lkup eloc-str-match schedule',
  );
  const headerRule = words(
    'name header-name action comparison-type msg-type methods match-value new-value element-rule element-rules',
  );
  const elementRule = words(
    'name parameter-name type action match-val-type comparison-type match-value new-value',
  );
  return new Map([
    ['sip-port', sipPort],
    ['sip-ports', sipPort],
    ['policy-attribute', policyAttribute],
    ['policy-attributes', policyAttribute],
    ['header-rule', headerRule],
    ['header-rules', headerRule],
    ['element-rule', elementRule],
    ['element-rules', elementRule],
    ['mime-rules', words('name content-type action msg-type methods match-value new-value')],
    ['auth-attribute', words('auth-realm username password in-dialog-methods')],
    ['auth-attributes', words('auth-realm username password in-dialog-methods')],
    ['rate-constraints', words('method max-inbound-burst-rate max-outbound-burst-rate')],
  ]);
}

/** Parameters with several values, which older releases print below the name. */
export const LIST_PARAMETERS: ReadonlySet<string> = words(
  'from-address to-address source-realm dest options spl-options network-interfaces media-profiles carrier carriers methods rules-calling rules-called out-service-response-codes ping-in-service-response-codes stop-recurse stop-sag-recurse allow-codecs add-codecs-on-egress order-codecs in-dialog-methods',
);

function words(text: string): ReadonlySet<string> {
  return new Set(text.split(' '));
}
