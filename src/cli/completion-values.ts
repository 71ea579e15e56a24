/** `tonebridge completion values`: names that exist in the running SBC, for the completion scripts. */
import { Argument, Command, CommanderError } from 'commander';
import { z } from 'zod';
import { featureSubscriptionSchema } from '../api/feature-schemas.ts';
import { agentSchema, callSchema } from '../api/schemas.ts';
import { ApiClient, clientFor, failure, withApiOption } from './api-client.ts';
import { LIVE_VALUES, type LiveValues } from './completion-words.ts';
import { EXIT_CODES } from './exit-codes.ts';
import { type CommandResult, finish } from './output.ts';

/** Whoever pressed the tabulator waits for this. */
const PATIENCE_MS = 1500;
/** More are no help. */
const MAX_VALUES = 200;

export function addValuesCommand(completion: Command): void {
  withApiOption(completion.command('values', { hidden: true }))
    .description('names that exist in the running SBC')
    .addArgument(new Argument('<kind>', 'what of').choices(LIVE_VALUES))
    .action(async (kind: LiveValues, _options: unknown, command: Command) => {
      const client = clientFor(command, undefined, PATIENCE_MS);
      finish(command, client instanceof ApiClient ? await liveValues(client, kind) : client);
    });
}

/** The same without the other commands, which take longer to load than the names to fetch. */
export async function runValues(words: readonly string[]): Promise<void> {
  const program = new Command('tonebridge').option('-c, --config <file>').option('--json');
  program.exitOverride();
  addValuesCommand(program.command('completion'));
  try {
    await program.parseAsync(words, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    process.exitCode = EXIT_CODES.usage;
  }
}

/** One name per line. */
export async function liveValues(client: ApiClient, kind: LiveValues): Promise<CommandResult> {
  const answer = await askValues(client, kind);
  if (answer.type !== 'answer') return failure(answer);
  // A line feed or a blank inside of a name would make two of it.
  const names = [...new Set(answer.value)].filter((name) => /^[^\s\p{Cc}]+$/u.test(name));
  const values = names.slice(0, MAX_VALUES);
  const text = values.map((value) => `${value}\n`).join('');
  return { exitCode: EXIT_CODES.good, text, json: values };
}

async function askValues(client: ApiClient, kind: LiveValues) {
  if (kind === 'agents') {
    const agents = await client.ask({ path: '/api/v1/agents', answer: z.array(agentSchema) });
    return mapAnswer(agents, ({ name }) => name);
  }
  if (kind === 'calls') {
    const path = `/api/v1/calls?state=all&limit=${MAX_VALUES}`;
    return mapAnswer(await client.ask({ path, answer: z.array(callSchema) }), ({ id }) => id);
  }
  const path = '/api/v1/subscriptions?event=as-feature-event';
  const phones = await client.ask({ path, answer: z.array(featureSubscriptionSchema) });
  return mapAnswer(phones, ({ account }) => account);
}

type Answer<T> = Awaited<ReturnType<typeof ApiClient.prototype.ask<T>>>;

function mapAnswer<T>(answer: Answer<readonly T[]>, nameOf: (item: T) => string): Answer<string[]> {
  return answer.type === 'answer'
    ? { type: 'answer', value: answer.value.map((item) => nameOf(item)) }
    : answer;
}
