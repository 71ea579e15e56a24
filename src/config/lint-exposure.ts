/** Rules about doors that stand open further than their owner may think. */
import { BlockList, isIPv6 } from 'node:net';
import { bracketHost, isLoopback } from './address.ts';
import { isPublic } from './address-scope.ts';
import type { Config, SipInterface } from './config.ts';
import { servesFeatureKeys } from './feature-keys-mode.ts';
import { legKinds } from './leg-kinds.ts';
import type { LintRule, RuleFinding } from './lint.ts';
import { addNetwork } from './values.ts';

/** Guessing a token of so many characters over HTTP takes longer than anybody lives. */
const LEAST_TOKEN_LENGTH = 16;

function isExposed({ sipPorts }: SipInterface): boolean {
  return sipPorts.some(({ address }) => !isLoopback(address));
}

function openRelays(config: Config): RuleFinding[] {
  const relayed = new Set(
    config.localPolicies
      .filter(({ nextHop, fromAgent }) => nextHop === 'request-uri' && fromAgent === undefined)
      .map(({ fromRealm }) => fromRealm),
  );
  return config.sipInterfaces.flatMap((sipInterface, index) => {
    const { name, realm, admit } = sipInterface;
    const isRelayed = relayed.has('*') || relayed.has(realm);
    if (admit !== 'anyone' || !isExposed(sipInterface) || !isRelayed) return [];
    const message = `interface "${name}" passes on calls of anyone to any address`;
    return [{ path: ['sip-interfaces', index, 'admit'], message }];
  });
}

function allowedEverybody(config: Config): RuleFinding[] {
  return config.sipInterfaces.flatMap((sipInterface, index) => {
    if (!isExposed(sipInterface)) return [];
    return sipInterface.allow.flatMap((network, place): RuleFinding[] =>
      network.endsWith('/0')
        ? [
            {
              path: ['sip-interfaces', index, 'allow', place],
              message: `${network} admits everybody, as admit: anyone would`,
            },
          ]
        : [],
    );
  });
}

function deniedNetworks(config: Config): RuleFinding[] {
  return config.sipInterfaces.flatMap(({ allow, deny }, index) => {
    const denied = networksOf(deny);
    return allow.flatMap((network, place): RuleFinding[] => {
      if (!beginsIn(network, denied)) return [];
      const denial = deny.find((other) => isWithin(network, other));
      if (denial === undefined) return [];
      const message = `${network} is admitted, yet all of it is refused by deny ${denial}`;
      return [{ path: ['sip-interfaces', index, 'allow', place], message }];
    });
  });
}

/** Whether every address of `inner` is one of `outer`; both in CIDR notation or single addresses. */
function isWithin(inner: string, outer: string): boolean {
  const [address = '', bits] = inner.split('/');
  const outerBits = outer.split('/')[1];
  const widest = isIPv6(address) ? 128 : 32;
  const isNarrower = Number(bits ?? widest) >= Number(outerBits ?? widest);
  return isNarrower && beginsIn(inner, networksOf([outer]));
}

function networksOf(texts: readonly string[]): BlockList {
  const list = new BlockList();
  for (const text of texts) addNetwork(list, text);
  return list;
}

/** Whether the first address of `network` is in one of `list`. */
function beginsIn(network: string, list: BlockList): boolean {
  const [address = ''] = network.split('/');
  return list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}

function shortToken({ api }: Config): RuleFinding[] {
  if (api.token === '' || isLoopback(api.address)) return [];
  if (api.token.length >= LEAST_TOKEN_LENGTH) return [];
  const message = `the API token has ${api.token.length} characters`;
  return [{ path: ['api', 'token'], message }];
}

function plainApi({ api: { address, port, token } }: Config): RuleFinding[] {
  if (token === '' || isLoopback(address)) return [];
  const message = `the API at ${bracketHost(address)}:${port} is plain HTTP`;
  return [{ path: ['api', 'listen'], message }];
}

function forwardsAnywhere(config: Config): RuleFinding[] {
  const { applyToCalls, targets } = config.featureKeys;
  if (applyToCalls === false || !servesFeatureKeys(config)) return [];
  if (targets.allow.length + targets.deny.length > 0) return [];
  const message = 'phones may forward calls to every number that has a route';
  return [{ path: ['feature-keys', 'apply-to-calls'], message }];
}

/** A place where a leg parameter has a value of its own, interface or agent. */
function ownPlaces({ sipInterfaces, sessionAgents }: Config) {
  return [
    ...sipInterfaces.map(({ leg, name }, index) => {
      return { leg, label: `interface "${name}"`, path: ['sip-interfaces', index] };
    }),
    ...sessionAgents.map(({ leg, name }, index) => {
      return { leg, label: `session agent "${name}"`, path: ['session-agents', index] };
    }),
  ];
}

function redirectsAnywhere(config: Config): RuleFinding[] {
  return ownPlaces(config).flatMap(({ leg, label, path }) =>
    leg.followRedirects === 'any'
      ? [{ path: [...path, 'follow-redirects'], message: `${label} may send calls to any address` }]
      : [],
  );
}

function learntTrunks(config: Config): RuleFinding[] {
  return legKinds(config).flatMap(({ agent, settings, label, path }): RuleFinding[] => {
    if (agent === undefined || !isPublic(agent.host)) return [];
    if (settings.mediaSource.value !== 'learn-once') return [];
    const key = agent.leg.mediaSource === undefined ? 'address' : 'media-source';
    const message = `${label} has a public address, and its media is taken from whoever sends first`;
    return [{ path: [...path, key], message }];
  });
}

function shownDigits({ dtmf }: Config): RuleFinding[] {
  if (dtmf.maskDigits) return [];
  const message = 'digits are shown in the ledger, the ladder and the log';
  return [{ path: ['dtmf', 'mask-digits'], message }];
}

export const EXPOSURE_RULES: readonly LintRule[] = [
  {
    code: 'open-relay',
    severity: 'warning',
    explanation:
      'Strangers could hide behind this SBC and reach networks that only it can. Use admit: agents, or a next-hop other than request-uri.',
    find: openRelays,
  },
  {
    code: 'allow-everybody',
    severity: 'warning',
    explanation: 'List the networks of your peers under allow.',
    find: allowedEverybody,
  },
  {
    code: 'allow-denied',
    severity: 'warning',
    explanation: 'deny is looked at first. Remove one of the two.',
    find: deniedNetworks,
  },
  {
    code: 'short-token',
    severity: 'warning',
    explanation:
      'A short token can be guessed by whoever reaches the API. Use at least 16 random characters.',
    find: shortToken,
  },
  {
    code: 'plain-api',
    severity: 'info',
    explanation:
      'Whoever stands in between reads the token. Let a proxy with TLS stand before it, or listen on loopback.',
    find: plainApi,
  },
  {
    code: 'forward-anywhere',
    severity: 'info',
    explanation:
      'A stolen phone password is enough for expensive forwards. Bar numbers with targets.deny, or name the good ones with targets.allow.',
    find: forwardsAnywhere,
  },
  {
    code: 'redirect-anywhere',
    severity: 'warning',
    explanation:
      'Whoever answers 302 there places calls at your cost. Use follow-redirects: agents unless the peer is yours.',
    find: redirectsAnywhere,
  },
  {
    code: 'learnt-media',
    severity: 'info',
    explanation:
      'A stranger who sprays RTP may be first. A peer without NAT needs no learning: use media-source: sdp.',
    find: learntTrunks,
  },
  {
    code: 'digits-shown',
    severity: 'info',
    explanation: 'They may be PINs and card numbers. Set mask-digits: true when tests are over.',
    find: shownDigits,
  },
];
