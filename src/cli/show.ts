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
import { formatLadder } from '../observe/ladder-format.ts';
import { ApiClient, clientFor, failure, withApiOption } from './api-client.ts';
import type { ApiQuestion } from './api-client.ts';
import { EXIT_CODES } from './exit-codes.ts';
import { getFeatures } from './features.ts';
import { formatPhones } from './features-text.ts';
import { type CommandResult, finish } from './output.ts';
import {
  formatAgents,
  formatCall,
  formatCalls,
  formatDigits,
  formatSubscriptions,
} from './show-tables.ts';

type Show = (client: ApiClient) => Promise<CommandResult>;

export function addShowCommand(program: Command): void {
  const show = program.command('show').description('what a running SBC is doing');
  withApiOption(show.command('calls'))
    .description('calls that are up, or one of them in detail')
    .argument('[call]', 'call id')
    .action(async (callId: string | undefined, _options: unknown, command: Command) => {
      await run(command, (client) =>
        callId === undefined ? showCalls(client, Date.now()) : showCall(client, callId),
      );
    });
  withApiOption(show.command('ladder'))
    .description('what happened in one call')
    .argument('<call>', 'call id')
    .action(async (callId: string, _options: unknown, command: Command) => {
      const { columns, isTTY } = process.stdout;
      const format = { width: columns, colour: isTTY };
      await run(command, (client) => showLadder(client, callId, format));
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
export async function showCalls(client: ApiClient, nowMs: number): Promise<CommandResult> {
  const question = { path: '/api/v1/calls', answer: z.array(callSchema) };
  return await ask(client, question, (calls) => formatCalls(calls, nowMs));
}

export async function showCall(client: ApiClient, callId: string): Promise<CommandResult> {
  const path = `/api/v1/calls/${encodeURIComponent(callId)}`;
  return await ask(client, { path, answer: callSchema }, formatCall);
}

export async function showLadder(
  client: ApiClient,
  callId: string,
  format: { readonly width?: number; readonly colour?: boolean },
): Promise<CommandResult> {
  const path = `/api/v1/calls/${encodeURIComponent(callId)}/ladder`;
  return await ask(client, { path, answer: ladderSchema }, ({ rows, droppedRows }) =>
    formatLadder(rows, { ...format, droppedRows }),
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
