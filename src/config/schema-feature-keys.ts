/** Schema of the `feature-keys` section (spec: feature-keys §13). */
import * as z from 'zod';
import type { FeatureKeysConfig, FeatureUser, UserAgentProfile } from './feature-keys-config.ts';
import { featureCalls, featureProvider } from './schema-feature-provider.ts';
import {
  anyText,
  choice,
  duration,
  flag,
  integer,
  network,
  nonEmptyText,
  pattern,
  scalar,
  secret,
} from './values.ts';

const DAY_MS = 86_400_000;

const user = z
  .strictObject({
    password: secret('Password in clear; either this or ha1.').optional(),
    ha1: secret('Hexadecimal MD5 or SHA-256 of user:realm:password.').optional(),
    accounts: z
      .array(nonEmptyText('Account the user may watch and change.'))
      .meta({ description: 'Accounts of this user.' })
      .prefault([]),
  })
  .transform((raw): FeatureUser => ({
    password: raw.password,
    ha1: raw.ha1,
    accounts: raw.accounts,
  }));

const successCode = scalar<200 | 202>(
  { description: 'Code of the SUBSCRIBE answer.', type: 'integer', enum: [200, 202] },
  (text) => {
    if (text === '200') return { type: 'value', value: 200 };
    if (text === '202') return { type: 'value', value: 202 };
    return { type: 'problem', message: `"${text}" is neither 200 nor 202` };
  },
);

const userAgent = z
  .strictObject({
    match: pattern('Regular expression on the User-Agent header; the first match wins.'),
    multipart: choice(
      ['mixed', 'separate'],
      'Several features in one body or one NOTIFY each.',
    ).prefault('mixed'),
    'terminated-notify': choice(['full', 'empty', 'none'], 'Body of the last NOTIFY.').prefault(
      'full',
    ),
    'part-heads': choice(['type', 'type-length'], 'Headers of each body part.').prefault('type'),
    'notify-gap': duration(
      { minimumMs: 0, maximumMs: 60_000 },
      'Least time between two NOTIFYs of a dialog. Unset: notify.gap.',
    ).optional(),
    'success-code': successCode.prefault('200'),
    'device-id': anyText('Fixed device value; empty: what the phone sent.').prefault(''),
  })
  .transform((raw): UserAgentProfile => ({
    match: raw.match,
    multipart: raw.multipart,
    terminatedNotify: raw['terminated-notify'],
    partHeads: raw['part-heads'],
    notifyGapMs: raw['notify-gap'],
    successCode: raw['success-code'],
    deviceId: raw['device-id'],
  }));

const subscriptions = z
  .strictObject({
    'expires-default': duration(
      { minimumMs: 60_000, maximumMs: DAY_MS },
      'Granted when the phone names none.',
    ).prefault('3600s'),
    'expires-min': duration(
      { minimumMs: 1000, maximumMs: 3_599_000 },
      'Shorter ones are refused with 423.',
    ).prefault('60s'),
    'expires-max': duration(
      { minimumMs: 60_000, maximumMs: 7 * DAY_MS },
      'Longer ones are shortened to this.',
    ).prefault('86400s'),
    'per-account': integer(
      { minimum: 1, maximum: 1000 },
      'Subscriptions an account may hold.',
    ).prefault('32'),
  })
  .transform((raw) => ({
    expiresDefaultMs: raw['expires-default'],
    expiresMinMs: raw['expires-min'],
    expiresMaxMs: raw['expires-max'],
    perAccount: raw['per-account'],
  }));

const notify = z
  .strictObject({
    gap: duration(
      { minimumMs: 0, maximumMs: 60_000 },
      'Least time between two NOTIFYs of one dialog.',
    ).prefault('300ms'),
    'per-second': integer(
      { minimum: 1, maximum: 100_000 },
      'NOTIFYs per second over all dialogs.',
    ).prefault('500'),
    'device-id': anyText('Device value where the phone sent none; empty: the account.').prefault(
      '',
    ),
    'large-notify-on-udp': choice(
      ['fragment', 'separate', 'tcp'],
      'What is done above 1300 bytes on UDP.',
    ).prefault('fragment'),
    credentials: z
      .record(
        z.string(),
        z.strictObject({
          username: nonEmptyText('Digest user.'),
          password: secret('Digest password.'),
        }),
      )
      .meta({ description: 'Answers to a phone that challenges our NOTIFY, by digest realm.' })
      .prefault({}),
  })
  .transform((raw) => ({
    gapMs: raw.gap,
    perSecond: raw['per-second'],
    deviceId: raw['device-id'],
    largeNotifyOnUdp: raw['large-notify-on-udp'],
    credentials: raw.credentials,
  }));

const loopGuard = z
  .strictObject({
    changes: integer(
      { minimum: 1, maximum: 100_000 },
      'Changes of one feature that trip the guard.',
    ).prefault('50'),
    within: duration(
      { minimumMs: 1000, maximumMs: DAY_MS },
      'Time in which they are counted.',
    ).prefault('20s'),
    hold: duration(
      { minimumMs: 1000, maximumMs: DAY_MS },
      'How long further changes are refused.',
    ).prefault('20s'),
  })
  .transform((raw) => ({ changes: raw.changes, withinMs: raw.within, holdMs: raw.hold }));

const targetList = (description: string) =>
  z.array(pattern('Regular expression on number or URI.')).meta({ description }).prefault([]);

const applyToCalls = z
  .union([
    flag('For every account, or for none.'),
    z.array(nonEmptyText('Domain, or account as user@domain.')).min(1),
  ])
  .meta({
    description:
      'Lets DND and forwarding act on calls: everywhere, or for these domains and accounts.',
  })
  .prefault('false');

/** The keys that say who may watch and change which account. */
const identityShape = {
  authentication: choice(['digest', 'none'], 'How phones prove who they are.').prefault('digest'),
  realm: nonEmptyText('Digest realm. Unset: the domain of the request.').optional(),
  algorithms: z
    .array(choice(['MD5', 'SHA-256'], 'Digest algorithm.'))
    .min(1)
    .meta({ description: 'Challenges offered, in order.' })
    .prefault(['MD5']),
  nonce: duration({ minimumMs: 10_000, maximumMs: DAY_MS }, 'Lifetime of a nonce.').prefault(
    '300s',
  ),
  users: z.record(z.string(), user).meta({ description: 'Digest users by name.' }).prefault({}),
  'users-from': choice(['registrar'], 'Takes the users from the registrar as well.').optional(),
  'trusted-networks': z
    .array(network('Network or address.'))
    .meta({ description: 'Sources that are not challenged.' })
    .prefault(['127.0.0.0/8', '::1/128']),
  domains: z
    .record(z.string(), z.array(nonEmptyText('Another name of the domain.')))
    .meta({ description: 'Own domains, each with the further names it goes by.' })
    .prefault({}),
};

export const featureKeys = z
  .strictObject({
    enabled: flag('Serves Device Feature Key Synchronization.').prefault('false'),
    mode: choice(
      ['serve', 'pass'],
      'Answers the phones itself or passes them to another server.',
    ).prefault('serve'),
    provider: featureProvider,
    ...identityShape,
    subscriptions: subscriptions.meta({ description: 'Limits of subscriptions.' }).prefault({}),
    notify: notify.meta({ description: 'How NOTIFYs are sent.' }).prefault({}),
    'user-agents': z
      .array(userAgent)
      .meta({ description: 'Profiles for phones with peculiarities.' })
      .prefault([{ match: '^[zZ]oiper', 'terminated-notify': 'none' }]),
    'loop-guard': loopGuard
      .meta({ description: 'Stops phones that toggle each other.' })
      .prefault({}),
    'default-rings': integer(
      { minimum: 2, maximum: 20 },
      'Rings before forward-no-answer.',
    ).prefault('5'),
    targets: z
      .strictObject({
        allow: targetList('Forwarding targets allowed; empty: all that can be routed.'),
        deny: targetList('Forwarding targets refused.'),
      })
      .meta({ description: 'Which numbers may be forwarded to.' })
      .prefault({}),
    history: z
      .strictObject({
        keep: duration(
          { minimumMs: 0, maximumMs: 36_500 * DAY_MS },
          'How long changes are kept; 0 for ever.',
        ).prefault('180d'),
        file: nonEmptyText(
          'SQLite file of the journal where the provider is http or module.',
        ).prefault('data/feature-history.db'),
      })
      .meta({ description: 'Journal of changes.' })
      .prefault({}),
    'mi-compat': flag('JSON-RPC endpoint with the method names of OpenSIPS.').prefault('false'),
    'sets-per-second': integer(
      { minimum: 1, maximum: 100_000 },
      'Changes per second that a token of the API may make.',
    ).prefault('50'),
    'apply-to-calls': applyToCalls,
    calls: featureCalls,
  })
  .transform((raw): FeatureKeysConfig => ({
    enabled: raw.enabled,
    mode: raw.mode,
    provider: raw.provider,
    authentication: raw.authentication,
    realm: raw.realm,
    algorithms: raw.algorithms,
    nonceMs: raw.nonce,
    users: raw.users,
    usersFrom: raw['users-from'],
    trustedNetworks: raw['trusted-networks'],
    domains: raw.domains,
    subscriptions: raw.subscriptions,
    notify: raw.notify,
    userAgents: raw['user-agents'],
    loopGuard: raw['loop-guard'],
    defaultRings: raw['default-rings'],
    targets: raw.targets,
    history: { keepMs: raw.history.keep, file: raw.history.file },
    miCompat: raw['mi-compat'],
    setsPerSecond: raw['sets-per-second'],
    applyToCalls: raw['apply-to-calls'],
    calls: raw.calls,
  }));
