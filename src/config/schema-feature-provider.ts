/** Schema of the feature provider and of what features do to calls. */
import * as z from 'zod';
import type { FeatureCalls, FeatureProviderConfig, WebhookTls } from './feature-keys-config.ts';
import { webhookProblem } from './webhook-url.ts';
import { choice, duration, flag, integer, nonEmptyText, scalar, secret } from './values.ts';

const unknownAccount = choice(
  ['accept', 'reject'],
  'Whether an account without stored state has all features, off.',
);

const common = {
  'unknown-account': unknownAccount.prefault('accept'),
  deadline: duration({ minimumMs: 100, maximumMs: 30_000 }, 'Time for one operation.').prefault(
    '3s',
  ),
};

const sqlite = z.strictObject({
  kind: z.literal('sqlite').meta({ description: 'Where feature state lives.' }),
  file: nonEmptyText('Database file.').prefault('data/features.db'),
  ...common,
});

/** Stores that say themselves which accounts there are: they are believed unless the file says otherwise. */
const foreign = { ...common, 'unknown-account': unknownAccount.prefault('reject') };

const webhookTls = z
  .strictObject({
    certificate: nonEmptyText('PEM file with the certificate shown to the webhook.').optional(),
    key: nonEmptyText('PEM file with its private key.').optional(),
    ca: nonEmptyText(
      'PEM file with the authorities trusted in place of the public ones.',
    ).optional(),
  })
  .refine((files) => (files.certificate === undefined) === (files.key === undefined), {
    message: 'certificate and key belong together',
  })
  .transform((raw): WebhookTls => ({ certificate: raw.certificate, key: raw.key, ca: raw.ca }))
  .meta({ description: 'Files for https to the webhook.' });

const http = z.strictObject({
  kind: z.literal('http'),
  url: nonEmptyText('Webhook; https unless the host is loopback or `insecure` is true.'),
  secrets: z
    .array(secret('Signing secret.'))
    .max(2)
    .meta({ description: 'Secrets of the signature; two during rotation.' })
    .prefault([]),
  token: secret('Bearer token.').prefault(''),
  batch: flag('Fetches all features in one request.').prefault('false'),
  insecure: flag('Permits plain http off loopback.').prefault('false'),
  tls: webhookTls.optional(),
  ...foreign,
});

const moduleProvider = z.strictObject({
  kind: z.literal('module'),
  path: nonEmptyText(
    'JavaScript or TypeScript file that exports get and set, found from the folder of this file.',
  ),
  isolate: flag('Runs it in a worker thread of its own.').prefault('true'),
  options: z
    .record(z.string(), z.string())
    .meta({ description: 'Handed to its init function.' })
    .prefault({}),
  ...foreign,
});

const postgres = z.strictObject({
  kind: z.literal('postgres'),
  url: secret('Connection URL; holds the password.'),
  'get-sql': nonEmptyText('Own statement to read: $1 presentity, $2 feature.').optional(),
  'set-sql': nonEmptyText(
    'Own statement to write: presentity, feature, status, forward_to, ring_count.',
  ).optional(),
  ...common,
});

export const featureProvider = z
  .discriminatedUnion('kind', [sqlite, http, moduleProvider, postgres])
  .transform((raw, context): FeatureProviderConfig => {
    const shared = { unknownAccount: raw['unknown-account'], deadlineMs: raw.deadline };
    if (raw.kind === 'sqlite') return { ...shared, kind: raw.kind, file: raw.file };
    if (raw.kind === 'http') {
      const { kind, url, secrets, token, batch, insecure, tls } = raw;
      const message = webhookProblem(url, insecure);
      if (message !== undefined) {
        context.issues.push({ code: 'custom', message, input: url, path: ['url'] });
      }
      return { ...shared, kind, url, secrets, token, batch, insecure, tls };
    }
    if (raw.kind === 'module') {
      const { kind, path, isolate, options } = raw;
      return { ...shared, kind, path, isolate, options };
    }
    const { kind, url } = raw;
    if ((raw['get-sql'] === undefined) !== (raw['set-sql'] === undefined)) {
      const message = 'get-sql and set-sql belong together';
      context.issues.push({ code: 'custom', message, input: raw });
    }
    return { ...shared, kind, url, getSql: raw['get-sql'], setSql: raw['set-sql'] };
  })
  .prefault({ kind: 'sqlite' });

const dndResponse = scalar(
  {
    description: 'Status code while DND is on, or a URI the call goes to.',
    type: undefined,
    anyOf: [
      { type: 'integer', minimum: 400, maximum: 699 },
      { type: 'string', pattern: '^sips?:' },
    ],
  },
  (text) =>
    /^(?:[4-6]\d\d|sips?:.+)$/.test(text)
      ? { type: 'value', value: text }
      : { type: 'problem', message: `"${text}" is neither a status from 400 to 699 nor a SIP URI` },
);

export const featureCalls = z
  .strictObject({
    'dnd-response': dndResponse.prefault('486'),
    'dnd-triggers-busy-forward': flag('DND with 486 or 600 leads to the busy target.').prefault(
      'true',
    ),
    ring: duration({ minimumMs: 1000, maximumMs: 60_000 }, 'Length of one ring.').prefault('6s'),
    'unreachable-as-no-answer': flag('408, 480 or no registration count as no answer.').prefault(
      'true',
    ),
    'send-181': flag('Tells the caller about each forward.').prefault('true'),
    'diversion-headers': choice(
      ['both', 'diversion', 'history-info', 'none'],
      'Which headers record a forward.',
    ).prefault('both'),
    'max-diversions': integer(
      { minimum: 0, maximum: 20 },
      'Forwards a call may have seen.',
    ).prefault('5'),
  })
  .transform((raw): FeatureCalls => ({
    dndResponse: raw['dnd-response'],
    dndTriggersBusyForward: raw['dnd-triggers-busy-forward'],
    ringMs: raw.ring,
    unreachableAsNoAnswer: raw['unreachable-as-no-answer'],
    send181: raw['send-181'],
    diversionHeaders: raw['diversion-headers'],
    maxDiversions: raw['max-diversions'],
  }))
  .meta({ description: 'Effect on calls, once apply-to-calls is true.' })
  .prefault({});
