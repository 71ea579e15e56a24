/** `tonebridge show`: tables of what a running SBC is doing. */
import type { Command } from 'commander';
import { z } from 'zod';
import {
  agentSchema,
  callSchema,
  digitSchema,
  ladderSchema,
  subscriptionSchema,
} from '../api/schemas.ts';
import { featureSubscriptionSchema } from '../api/feature-schemas.ts';
import { formatLadder, type LadderFormat } from '../observe/ladder-format.ts';
import { ApiClient, clientFor, failure, withApiOption } from './api-client.ts';
import type { ApiQuestion } from './api-client.ts';
import { EXIT_CODES } from './exit-codes.ts';
import { exportLadder } from './export-ladder.ts';
import { getFeatures } from './features.ts';
import { formatPhones } from './features-text.ts';
import { type CommandResult, finish } from './output.ts';
import { addShowCallCommand, gapsOf, ladderFormat } from './show-call.ts';
import {
  formatAgents,
  formatCall,
  formatCalls,
  formatDigits,
  formatEndedCalls,
  formatSubscriptions,
} from './show-tables.ts';

/** Which calls are wanted. */
interface CallOptions {
  readonly ended?: boolean;
  readonly agent?: string;
  readonly number?: string;
  readonly limit?: string;
}

type Show = (client: ApiClient) => Promise<CommandResult>;

export function addShowCommand(program: Command): void {
  const show = program.command('show').description('what a running SBC is doing');
  withApiOption(show.command('calls'))
    .description('calls that are up, or one of them in detail')
    .argument('[call]', 'call id')
    .option('--ended', 'the last calls that have ended, newest first')
    .option('--agent <name>', 'only with this session agent')
    .option('--number <digits>', 'part of the calling or the called number')
    .option('--limit <count>', 'at most so many')
    .action(async (callId: string | undefined, options: CallOptions, command: Command) => {
      await run(command, (client) =>
        callId === undefined ? showCalls(client, Date.now(), options) : showCall(client, callId),
      );
    });
  addShowCallCommand(show);
  withApiOption(show.command('ladder'))
    .description('what happened in one call')
    .argument('<call>', 'call id')
    .option('--output <file>', 'write it to a file: .pcap, .mmd (Mermaid), .json, else as text')
    .action(async (callId: string, { output }: { output?: string }, command: Command) => {
      await run(command, (client) =>
        output === undefined
          ? showLadder(client, callId, ladderFormat())
          : exportLadder(client, callId, output),
      );
    });
  withApiOption(show.command('digits'))
    .description('the digit ledger')
    .option('--call <id>', 'digits of one call')
    .action(async ({ call }: { call?: string }, command: Command) => {
      await run(command, (client) => showDigits(client, call));
    });
  withApiOption(show.command('agents'))
    .description('session agents')
    .action(async (_options: unknown, command: Command) => run(command, showAgents));
  withApiOption(show.command('subscriptions'))
    .description('subscriptions: KPML of calls, feature keys of phones')
    .action(async (_options: unknown, command: Command) => run(command, showSubscriptions));
  withApiOption(show.command('features'))
    .description('feature keys of an account, or of all accounts with a phone')
    .argument('[account]', 'such as 2001@pbx.example')
    .action(async (account: string | undefined, _options: unknown, command: Command) => {
      await run(command, (client) =>
        account === undefined ? showFeatures(client) : getFeatures(client, account),
      );
    });
}

/** `nowMs` is wall clock, for the age of each call. */
export async function showCalls(
  client: ApiClient,
  nowMs: number,
  { ended = false, agent, number, limit }: CallOptions = {},
): Promise<CommandResult> {
  const query = new URLSearchParams();
  const wanted = { state: ended ? 'ended' : undefined, agent, number, limit };
  for (const [name, value] of Object.entries(wanted)) {
    if (value !== undefined) query.set(name, value);
  }
  const path = query.size === 0 ? '/api/v1/calls' : `/api/v1/calls?${query.toString()}`;
  const question = { path, answer: z.array(callSchema) };
  return await ask(client, question, (calls) =>
    ended ? formatEndedCalls(calls) : formatCalls(calls, nowMs),
  );
}

export async function showCall(client: ApiClient, callId: string): Promise<CommandResult> {
  const path = `/api/v1/calls/${encodeURIComponent(callId)}`;
  return await ask(client, { path, answer: callSchema }, formatCall);
}

export async function showLadder(
  client: ApiClient,
  callId: string,
  format: LadderFormat,
): Promise<CommandResult> {
  const path = `/api/v1/calls/${encodeURIComponent(callId)}/ladder`;
  return await ask(client, { path, answer: ladderSchema }, (ladder) =>
    formatLadder(ladder.rows, { ...format, ...gapsOf(ladder) }),
  );
}

export async function showDigits(client: ApiClient, callId?: string): Promise<CommandResult> {
  const query = callId === undefined ? '' : `?call=${encodeURIComponent(callId)}`;
  const question = { path: `/api/v1/digits${query}`, answer: z.array(digitSchema) };
  return await ask(client, question, formatDigits);
}

export async function showAgents(client: ApiClient): Promise<CommandResult> {
  const question = { path: '/api/v1/agents', answer: z.array(agentSchema) };
  return await ask(client, question, formatAgents);
}

export async function showSubscriptions(client: ApiClient): Promise<CommandResult> {
  const answer = z.array(z.union([subscriptionSchema, featureSubscriptionSchema]));
  return await ask(client, { path: '/api/v1/subscriptions', answer }, (subscriptions) => {
    const phones = subscriptions.flatMap((item) => ('event' in item ? [item] : []));
    const kpml = subscriptions.flatMap((item) => ('event' in item ? [] : [item]));
    if (phones.length === 0) return formatSubscriptions(kpml);
    const first = kpml.length === 0 ? '' : `${formatSubscriptions(kpml)}\n`;
    return first + formatPhones(phones);
  });
}

/** The accounts that have a phone here: the API lists no others. */
export async function showFeatures(client: ApiClient): Promise<CommandResult> {
  const path = '/api/v1/subscriptions?event=as-feature-event';
  const phones = await client.ask({ path, answer: z.array(featureSubscriptionSchema) });
  if (phones.type !== 'answer') return failure(phones);
  const accounts = [...new Set(phones.value.map(({ account }) => account))].toSorted();
  const results: CommandResult[] = [];
  for (const account of accounts) results.push(await getFeatures(client, account));
  const failed = results.find(({ exitCode }) => exitCode !== EXIT_CODES.good);
  if (failed !== undefined) return failed;
  const text = results.map((result) => result.text).join('\n') || 'no phones\n';
  return { exitCode: EXIT_CODES.good, text, json: results.map(({ json }) => json) };
}

async function run(command: Command, show: Show): Promise<void> {
  const client = clientFor(command);
  finish(command, client instanceof ApiClient ? await show(client) : client);
}

async function ask<T>(
  client: ApiClient,
  question: ApiQuestion<T>,
  format: (value: T) => string,
): Promise<CommandResult> {
  const answer = await client.ask(question);
  if (answer.type !== 'answer') return failure(answer);
  return { exitCode: EXIT_CODES.good, text: format(answer.value), json: answer.value };
}
