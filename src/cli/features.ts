/** `tonebridge features`: reads and changes the feature keys of an account through the API of a running SBC. */
import { userInfo } from 'node:os';
import type { Command } from 'commander';
import { z } from 'zod';
import { CLI_USER_HEADER } from '../api/feature-actor.ts';
import {
  accountSchema,
  featureSchema,
  historyRowSchema,
  outcomeSchema,
  refreshedSchema,
} from '../api/feature-schemas.ts';
import { FEATURES, type Feature } from '../wire/feature-event.ts';
import { ApiClient, type ApiQuestion, clientFor, failure, withApiOption } from './api-client.ts';
import { EXIT_CODES } from './exit-codes.ts';
import { formatAccount, formatHistory, formatOutcome } from './features-text.ts';
import { addFeatureTest } from './features-test.ts';
import { type CommandResult, finish } from './output.ts';

/** Short names that operators know the features by. */
const SHORT_NAMES: Readonly<Record<string, Feature>> = {
  dnd: 'DoNotDisturb',
  cfa: 'CallForwardingAlways',
  cfb: 'CallForwardingBusy',
  cfna: 'CallForwardingNoAnswer',
};

const ACCOUNT = 'account, such as 2001@pbx.example';
const FEATURE = `one of ${FEATURES.join(', ')}, or dnd, cfa, cfb, cfna`;

export function addFeaturesCommand(program: Command): void {
  const features = program.command('features').description('feature keys of an account');
  addReading(features);
  addSet(features);
  withApiOption(features.command('refresh'))
    .description('tell every phone of the account everything')
    .argument('<account>', ACCOUNT)
    .action(async (account: string, _options: unknown, command: Command) => {
      await run(command, (client) => refresh(client, account));
    });
  addFeatureTest(features);
}

function addReading(features: Command): void {
  withApiOption(features.command('get'))
    .description('features of an account')
    .argument('<account>', ACCOUNT)
    .argument('[feature]', FEATURE)
    .action(async (account: string, name: string | undefined, ...rest: [unknown, Command]) => {
      const [, command] = rest;
      const feature = name === undefined ? undefined : featureIn(command, name);
      await run(command, (client) => getFeatures(client, account, feature));
    });
  withApiOption(features.command('history'))
    .description('changes and refusals, newest first')
    .argument('<account>', ACCOUNT)
    .option('--feature <feature>', FEATURE)
    .option('--from <time>', 'not before this time (RFC 3339)')
    .option('--to <time>', 'before this time')
    .option('--limit <rows>', 'rows at most, 1 to 1000 (default: 100)')
    .option('--before <id>', 'only rows older than this one')
    .action(async (account: string, options: HistoryOptions, command: Command) => {
      const { feature: name, ...query } = options;
      const feature = name === undefined ? {} : { feature: featureIn(command, name) };
      await run(command, (client) => getHistory(client, account, { ...query, ...feature }));
    });
}

interface HistoryOptions {
  readonly feature?: string;
  readonly from?: string;
  readonly to?: string;
  readonly limit?: string;
  readonly before?: string;
}

interface SetOptions {
  readonly forwardTo?: string | false;
  readonly rings?: string;
  readonly param?: string;
  readonly ifVersion?: string;
  readonly wait?: string;
}

function addSet(features: Command): void {
  withApiOption(features.command('set'))
    .description('switch a feature on or off')
    .argument('<account>', ACCOUNT)
    .argument('<feature>', FEATURE)
    .argument('<state>', 'on or off')
    .option('--forward-to <target>', 'number or SIP URI; the stored one stays without it')
    .option('--no-forward-to', 'clear the stored number')
    .option('--rings <count>', 'rings before the forward, 0 or 2 to 20 (no answer only)')
    .option('--param <text>', 'handed to the provider')
    .option('--if-version <version>', 'only if the feature still has this version')
    .option('--wait <seconds>', 'wait for the phones to answer')
    .action(async (account: string, name: string, state: string, ...rest: [unknown, Command]) => {
      const [, command] = rest;
      const options = command.opts<SetOptions>();
      const feature = featureIn(command, name);
      if (state !== 'on' && state !== 'off') command.error(`error: ${state} is not on or off`);
      const { rings } = options;
      if (rings !== undefined && !/^\d{1,4}$/.test(rings)) {
        command.error(`error: --rings ${rings} is no number`);
      }
      const change = { feature, isOn: state === 'on', options };
      await run(command, (client) => setFeature(client, account, change));
    });
}

/** All features of the account, or one of them. */
export async function getFeatures(
  client: ApiClient,
  account: string,
  feature?: Feature,
): Promise<CommandResult> {
  const path = pathOf(account);
  const whole = await client.ask({ path, answer: accountSchema });
  if (whole.type !== 'answer') return failure(whole);
  const { value } = whole;
  if (feature === undefined) {
    return { exitCode: EXIT_CODES.good, text: formatAccount(value), json: value };
  }
  const one = await client.ask({ path: `${path}/${feature}`, answer: featureSchema });
  if (one.type !== 'answer') return failure(one);
  const [head = '', , headings = '', ...rows] = formatAccount(value).split('\n');
  const row = rows.find((line) => line.startsWith(`${feature} `)) ?? '';
  const text = `${head}\n\n${headings}\n${row}\n`;
  return { exitCode: EXIT_CODES.good, text, json: one.value };
}

export async function setFeature(
  client: ApiClient,
  account: string,
  change: { readonly feature: Feature; readonly isOn: boolean; readonly options: SetOptions },
): Promise<CommandResult> {
  const { feature, isOn, options } = change;
  const { forwardTo, rings, param, ifVersion, wait } = options;
  const body = {
    status: isOn,
    ...(forwardTo === undefined ? {} : { forwardTo: forwardTo === false ? null : forwardTo }),
    ...(rings === undefined ? {} : { ringCount: Number(rings) }),
    ...(param === undefined ? {} : { param }),
  };
  const question: ApiQuestion<z.infer<typeof outcomeSchema>> = {
    method: 'PUT',
    path: `${pathOf(account)}/${feature}${wait === undefined ? '' : `?wait=${encodeURIComponent(wait)}`}`,
    body,
    headers: ifVersion === undefined ? whoAsks() : { ...whoAsks(), 'if-match': `"${ifVersion}"` },
    answer: outcomeSchema,
  };
  const answer = await client.ask(question);
  if (answer.type !== 'answer') return failure(answer);
  const text = formatOutcome(feature, answer.value);
  return { exitCode: EXIT_CODES.good, text, json: answer.value };
}

export async function refresh(client: ApiClient, account: string): Promise<CommandResult> {
  const answer = await client.ask({
    method: 'POST',
    path: `${pathOf(account)}/refresh`,
    headers: whoAsks(),
    answer: refreshedSchema,
  });
  if (answer.type !== 'answer') return failure(answer);
  const { subscribers, notified } = answer.value;
  const text = `${notified} of ${subscribers} phones told\n`;
  return { exitCode: EXIT_CODES.good, text, json: answer.value };
}

export async function getHistory(
  client: ApiClient,
  account: string,
  query: HistoryOptions,
): Promise<CommandResult> {
  const { feature, from, to, limit, before } = query;
  const wanted = Object.entries({ feature, from, to, limit, before }).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value]],
  );
  const path = `${pathOf(account)}/history?${new URLSearchParams(wanted).toString()}`;
  const answer = await client.ask({ path, answer: z.array(historyRowSchema) });
  if (answer.type !== 'answer') return failure(answer);
  return { exitCode: EXIT_CODES.good, text: formatHistory(answer.value), json: answer.value };
}

export function pathOf(account: string): string {
  return `/api/v1/features/${encodeURIComponent(account)}`;
}

/** The history names the operating-system user, not the token. */
export function whoAsks(): Readonly<Record<string, string>> {
  return { [CLI_USER_HEADER]: encodeURIComponent(userInfo().username) };
}

function featureIn(command: Command, name: string): Feature {
  const wanted = name.toLowerCase();
  const feature = SHORT_NAMES[wanted] ?? FEATURES.find((known) => known.toLowerCase() === wanted);
  return feature ?? command.error(`error: there is no feature ${name}`);
}

async function run(
  command: Command,
  ask: (client: ApiClient) => Promise<CommandResult>,
): Promise<void> {
  const client = clientFor(command);
  finish(command, client instanceof ApiClient ? await ask(client) : client);
}
