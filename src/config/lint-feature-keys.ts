/** Rules about feature keys: who can reach them, whose they are, and what of them cannot work. */
import { BlockList, isIPv6 } from 'node:net';
import { isLoopback } from './address.ts';
import type { Config } from './config.ts';
import type { FeatureKeysConfig, FeatureUser } from './feature-keys-config.ts';
import { servesFeatureKeys, servingInterfaces } from './feature-keys-mode.ts';
import type { LintRule, RuleFinding } from './lint.ts';

const HA1 = /^(?:[0-9a-f]{32}|[0-9a-f]{64})$/i;
const MD5_DIGITS = 32;
const ROOT = 'feature-keys';

/** Rules look at what is in use only. */
function whileServed(
  find: (keys: FeatureKeysConfig, config: Config) => readonly RuleFinding[],
): (config: Config) => readonly RuleFinding[] {
  return (config) => (servesFeatureKeys(config) ? find(config.featureKeys, config) : []);
}

function forEachUser(
  { users, authentication }: FeatureKeysConfig,
  find: (name: string, user: FeatureUser) => { key?: string; message: string } | undefined,
): RuleFinding[] {
  if (authentication === 'none') return [];
  return Object.entries(users).flatMap(([name, user]) => {
    const found = find(name, user);
    if (found === undefined) return [];
    const { key, message } = found;
    return [{ path: [ROOT, 'users', name, ...(key === undefined ? [] : [key])], message }];
  });
}

const withoutDomain = whileServed(({ domains }) =>
  Object.keys(domains).length > 0
    ? []
    : [{ path: [ROOT], message: 'feature keys are served for no domain' }],
);

const sharedNames = whileServed(({ domains }) => {
  const owners = new Map<string, string>();
  const findings: RuleFinding[] = [];
  for (const [domain, others] of Object.entries(domains)) {
    for (const name of [domain, ...others].map((text) => text.toLowerCase())) {
      const owner = owners.get(name);
      if (owner !== undefined && owner !== domain) {
        const message = `"${name}" stands for ${owner} and for ${domain}`;
        findings.push({ path: [ROOT, 'domains', domain], message });
      }
      owners.set(name, owner ?? domain);
    }
  }
  return findings;
});

/** On loopback alone nobody is asked for credentials. */
const withoutUsers = whileServed(({ authentication, users, usersFrom }, config) => {
  const hasUsers = Object.keys(users).length > 0 || usersFrom !== undefined;
  const isExposed = servingInterfaces(config).some(({ sipPorts }) =>
    sipPorts.some(({ address }) => !isLoopback(address)),
  );
  if (authentication === 'none' || hasUsers || !isExposed) return [];
  const message = 'there is no user, so only trusted networks can subscribe';
  return [{ path: [ROOT], message }];
});

const withoutSecret = whileServed((keys) =>
  forEachUser(keys, (name, { password, ha1 }) =>
    password === undefined && ha1 === undefined
      ? { message: `user "${name}" has neither password nor ha1 and cannot sign in` }
      : undefined,
  ),
);

const brokenHa1 = whileServed((keys) =>
  forEachUser(keys, (name, { ha1 }) =>
    ha1 === undefined || HA1.test(ha1)
      ? undefined
      : {
          key: 'ha1',
          message: `the ha1 of user "${name}" has neither the 32 hexadecimal digits of MD5 nor the 64 of SHA-256`,
        },
  ),
);

const unusableHa1 = whileServed((keys) =>
  forEachUser(keys, (name, { password, ha1 }) => {
    if (ha1 === undefined || password !== undefined || !HA1.test(ha1)) return undefined;
    const hash = ha1.length === MD5_DIGITS ? 'MD5' : 'SHA-256';
    const [first] = keys.algorithms;
    const only = `user "${name}" has only an ha1 of ${hash}`;
    if (!keys.algorithms.includes(hash)) {
      return { key: 'ha1', message: `${only}, which is not offered` };
    }
    if (first !== hash) {
      // A phone takes the first challenge that it can meet (RFC 8760 §2.4).
      const message = `${only}, and phones answer to ${first}, which is offered first`;
      return { key: 'ha1', message };
    }
    const domains = Object.keys(keys.domains);
    if (keys.realm !== undefined || domains.length < 2) return undefined;
    const message = `the ha1 of user "${name}" fits one realm, and each domain is one of its own`;
    return { key: 'ha1', message };
  }),
);

const foreignAccounts = whileServed((keys) => {
  const own = new Set(
    Object.entries(keys.domains)
      .flat(2)
      .map((name) => name.toLowerCase()),
  );
  return forEachUser(keys, (name, { accounts }) => {
    const foreign = accounts.find((account) => {
      const at = account.lastIndexOf('@');
      return at >= 0 && !own.has(account.slice(at + 1).toLowerCase());
    });
    return foreign === undefined
      ? undefined
      : {
          key: 'accounts',
          message: `account ${foreign} of user "${name}" is in no domain of ours`,
        };
  });
});

const openNetworks = whileServed(({ trustedNetworks }) =>
  trustedNetworks.flatMap((network, index): RuleFinding[] => {
    const message = `everybody in ${network} may set the feature keys of every account`;
    return reachesBeyondLoopback(network)
      ? [{ path: [ROOT, 'trusted-networks', index], message }]
      : [];
  }),
);

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

function reachesBeyondLoopback(network: string): boolean {
  const [address = '', bits] = network.split('/');
  const isV6 = isIPv6(address);
  if (!loopback.check(address, isV6 ? 'ipv6' : 'ipv4')) return true;
  return bits !== undefined && Number(bits) < (isV6 ? 128 : 8);
}

const unsignedWebhook = whileServed(({ provider }) => {
  if (provider.kind !== 'http' || provider.secrets.length > 0 || provider.token !== '') return [];
  const message = 'requests to the webhook carry neither signature nor token';
  return [{ path: [ROOT, 'provider'], message }];
});

const plainWebhook = whileServed(({ provider }) => {
  if (provider.kind !== 'http' || !provider.insecure) return [];
  const host = URL.parse(provider.url)?.hostname.replace(/^\[(.*)\]$/, '$1') ?? '';
  if (provider.url.startsWith('https:') || host === 'localhost' || isLoopback(host)) return [];
  const message = `the webhook at ${host} is asked without TLS`;
  return [{ path: [ROOT, 'provider', 'url'], message }];
});

const cutNotify = whileServed(({ notify }, { sip }) => {
  if (sip.engine !== 'drachtio' || notify.largeNotifyOnUdp !== 'fragment') return [];
  const message = 'fragmented NOTIFYs need an udp-mtu above 4000 at the drachtio-server';
  return [{ path: [ROOT], message }];
});

const nothingServed = (config: Config): readonly RuleFinding[] => {
  if (config.featureKeys.applyToCalls === false || servesFeatureKeys(config)) return [];
  return [{ path: [ROOT, 'apply-to-calls'], message: 'apply-to-calls acts on nothing' }];
};

export const FEATURE_KEY_RULES: readonly LintRule[] = [
  {
    code: 'feature-keys-without-domain',
    severity: 'error',
    explanation: 'Every SUBSCRIBE would get 404. Name the domain of the accounts under domains.',
    find: withoutDomain,
  },
  {
    code: 'feature-domain-twice',
    severity: 'error',
    explanation: 'An account under this name would be two. Let each name stand for one domain.',
    find: sharedNames,
  },
  {
    code: 'feature-keys-without-users',
    severity: 'warning',
    explanation: 'Every phone is asked for credentials that nobody has. List the users.',
    find: withoutUsers,
  },
  {
    code: 'feature-user-without-secret',
    severity: 'error',
    explanation: 'Digest needs something to compare with. Give the user a password or an ha1.',
    find: withoutSecret,
  },
  {
    code: 'feature-user-ha1',
    severity: 'error',
    explanation:
      'ha1 is the hexadecimal MD5 or SHA-256 of user:realm:password; this one fits no password.',
    find: brokenHa1,
  },
  {
    code: 'feature-user-ha1-unusable',
    severity: 'warning',
    explanation:
      'ha1 is made of one hash and one realm. Offer that hash first and set realm, or give the password.',
    find: unusableHa1,
  },
  {
    code: 'feature-account-foreign',
    severity: 'warning',
    explanation: 'The user can never reach this account. Add its domain, or correct the account.',
    find: foreignAccounts,
  },
  {
    code: 'feature-networks-trusted',
    severity: 'warning',
    explanation:
      'Sources in trusted-networks are believed what they write into From. Leave it to loopback and to servers of yours.',
    find: openNetworks,
  },
  {
    code: 'feature-webhook-unsigned',
    severity: 'warning',
    explanation:
      'The receiver cannot tell our requests from those of others. Set secrets, or at least a token.',
    find: unsignedWebhook,
  },
  {
    code: 'feature-webhook-plain',
    severity: 'warning',
    explanation: 'Numbers and tokens could be read and changed on the way. Use https.',
    find: plainWebhook,
  },
  {
    code: 'feature-notify-cut',
    severity: 'info',
    explanation: 'Else the server sends a full NOTIFY by TCP, which a phone on UDP may not accept.',
    find: cutNotify,
  },
  {
    code: 'feature-calls-without-keys',
    severity: 'warning',
    explanation: 'Without feature keys of its own the SBC has no state to act on. Set enabled.',
    find: nothingServed,
  },
];
