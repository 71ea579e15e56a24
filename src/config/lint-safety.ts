/** Rules about exposure: secrets, open doors, addresses nobody can reach. */
import { isIPv6 } from 'node:net';
import { bracketHost, isLoopback, isWildcard } from './address.ts';
import type { Config, DrachtioServer } from './config.ts';
import { servingInterfaces } from './feature-keys-mode.ts';
import type { LintRule, RuleFinding } from './lint.ts';
import type { Path } from './problem.ts';

/** The secret in every drachtio sample. */
const DEFAULT_SECRET = 'cymru';

function openApi(config: Config): RuleFinding[] {
  const { address, port, token } = config.api;
  if (isLoopback(address) || token !== '') return [];
  const message = `the API listens on ${bracketHost(address)}:${port} without a token`;
  return [{ path: ['api', 'listen'], message }];
}

function defaultSecret(config: Config): RuleFinding[] {
  const servers: { path: Path; server: DrachtioServer | undefined }[] = [
    { path: ['sip', 'drachtio', 'secret'], server: config.sip.drachtio },
    ...config.sipInterfaces.map((sipInterface, index) => ({
      path: ['sip-interfaces', index, 'drachtio', 'secret'],
      server: sipInterface.drachtio,
    })),
  ];
  return servers.flatMap(({ path, server }) => {
    if (server === undefined || isLoopback(server.host) || server.secret !== DEFAULT_SECRET) {
      return [];
    }
    return [{ path, message: `the sample secret is used for the admin port of ${server.host}` }];
  });
}

function openInterface(config: Config): RuleFinding[] {
  const routed = new Set(
    config.localPolicies
      .filter(
        ({ fromAgent, nextHop }) =>
          fromAgent === undefined && nextHop !== 'request-uri' && nextHop !== 'reject',
      )
      .map(({ fromRealm }) => fromRealm),
  );
  return config.sipInterfaces.flatMap((sipInterface, index) => {
    const isExposed = sipInterface.sipPorts.some((port) => !isLoopback(port.address));
    const isRouted = routed.has('*') || routed.has(sipInterface.realm);
    if (sipInterface.admit !== 'anyone' || !isExposed || !isRouted) return [];
    const message = `interface "${sipInterface.name}" lets anyone place calls to your trunks`;
    return [{ path: ['sip-interfaces', index, 'admit'], message }];
  });
}

function featureKeysWithoutDigest(config: Config): RuleFinding[] {
  if (config.featureKeys.authentication !== 'none') return [];
  const exposed = servingInterfaces(config).filter((sipInterface) =>
    sipInterface.sipPorts.some((port) => !isLoopback(port.address)),
  );
  if (exposed.length === 0) return [];
  const names = exposed.map((sipInterface) => sipInterface.name).join(', ');
  const message = `feature keys are not authenticated, yet reachable through: ${names}`;
  return [{ path: ['feature-keys', 'authentication'], message }];
}

function wildcardMedia(config: Config): RuleFinding[] {
  if (config.media.engine !== 'relay') return [];
  return config.realms.flatMap((realm, index) => {
    if (!isWildcard(realm.media.address) || realm.media.advertised !== undefined) return [];
    const message = `realm "${realm.name}" would write ${realm.media.address} into SDP`;
    return [{ path: ['realms', index, 'media', 'address'], message }];
  });
}

function wildcardSip(config: Config): RuleFinding[] {
  return config.sipInterfaces.flatMap((sipInterface, index) =>
    sipInterface.sipPorts.flatMap((port, position) => {
      if (!isWildcard(port.address)) return [];
      const message = `interface "${sipInterface.name}" has no address of its own for Via and Contact`;
      return [{ path: ['sip-interfaces', index, 'sip-ports', position], message }];
    }),
  );
}

function rtpengineIpv6(config: Config): RuleFinding[] {
  return config.media.rtpengine.flatMap((node, index) =>
    isIPv6(node.host)
      ? [
          {
            path: ['media', 'rtpengine', index, 'host'],
            message: `the control port of rtpengine cannot be reached over IPv6 (${node.host})`,
          },
        ]
      : [],
  );
}

function expiresOrder(config: Config): RuleFinding[] {
  const { expiresMinMs, expiresDefaultMs, expiresMaxMs } = config.featureKeys.subscriptions;
  if (expiresMinMs <= expiresDefaultMs && expiresDefaultMs <= expiresMaxMs) return [];
  const message = 'expires-min <= expires-default <= expires-max does not hold';
  return [{ path: ['feature-keys', 'subscriptions'], message }];
}

export const SAFETY_RULES: readonly LintRule[] = [
  {
    code: 'open-api',
    severity: 'error',
    explanation:
      'Anyone who reaches this address could read calls and digits. Set api.token or listen on loopback.',
    find: openApi,
  },
  {
    code: 'default-secret',
    severity: 'warning',
    explanation:
      'Whoever knows the sample configuration of drachtio could take over calls. Choose another secret.',
    find: defaultSecret,
  },
  {
    code: 'open-interface',
    severity: 'warning',
    explanation:
      'Calls from unknown sources reach paid trunks (toll fraud). Use admit: agents and list networks under allow.',
    find: openInterface,
  },
  {
    code: 'feature-keys-open',
    severity: 'warning',
    explanation: 'Anyone could forward the calls of any account. Use authentication: digest.',
    find: featureKeysWithoutDigest,
  },
  {
    code: 'wildcard-media-address',
    severity: 'error',
    explanation:
      'Peers cannot send to an address that means all addresses. Name one, or set advertised.',
    find: wildcardMedia,
  },
  {
    code: 'wildcard-sip-address',
    severity: 'warning',
    explanation: 'Via and Contact need an address peers can answer to. Name one address per port.',
    find: wildcardSip,
  },
  {
    code: 'rtpengine-ipv6',
    severity: 'error',
    explanation:
      'The control protocol client speaks IPv4 only. Give an IPv4 address or a name that has one.',
    find: rtpengineIpv6,
  },
  {
    code: 'expires-order',
    severity: 'error',
    explanation: 'A phone that names no lifetime would get one that the limits forbid.',
    find: expiresOrder,
  },
];
