/**
 * `tonebridge apply` and `tonebridge rollback`: plan, ask, put the file in place of the one in use, reload; and put the old
 * one back when the SBC refuses. Only where the SBC runs on a file of this machine, which is known by its hash.
 */
import { createHash } from 'node:crypto';
import { realpath } from 'node:fs/promises';
import { createInterface } from 'node:readline/promises';
import type { Command } from 'commander';
import { processSchema } from '../api/live-schemas.ts';
import { reloadSchema } from '../api/schemas.ts';
import { formatProblem } from '../config/problem.ts';
import { ApiClient, clientFor, failure, withApiOption } from './api-client.ts';
import { previousOf, swapConfig } from './config-swap.ts';
import { EXIT_CODES } from './exit-codes.ts';
import { type CommandResult, finish } from './output.ts';
import { askPlan, planResult, readText } from './plan.ts';

interface ApplyOptions {
  readonly yes?: boolean;
}

export function addApplyCommands(program: Command): void {
  const yes = ['-y, --yes', 'do not ask'] as const;
  withApiOption(program.command('apply'))
    .description('put a new configuration in place of the one in use and reload; see plan')
    .argument('<file>', 'the new configuration')
    .option(...yes)
    .action(async (file: string, options: ApplyOptions, command: Command) => {
      await withClient(command, (client) => apply(client, file, consent(options)));
    });
  withApiOption(program.command('rollback'))
    .description('go back to the configuration that was in use before the last apply')
    .option(...yes)
    .action(async (options: ApplyOptions, command: Command) => {
      await withClient(command, (client) => rollback(client, consent(options)));
    });
}

async function withClient(
  command: Command,
  act: (client: ApiClient) => Promise<CommandResult>,
): Promise<void> {
  const client = clientFor(command);
  finish(command, client instanceof ApiClient ? await act(client) : client);
}

/** Shows what is about to happen and says whether it may. */
export type Consent = (plan: string) => Promise<'yes' | 'no' | 'nobody-to-ask'>;

function consent({ yes }: ApplyOptions): Consent {
  return async (plan) => {
    if (yes === true) return 'yes';
    if (!process.stdin.isTTY) return 'nobody-to-ask';
    process.stderr.write(plan);
    const terminal = createInterface({ input: process.stdin, output: process.stderr });
    const answer = await terminal.question('apply? [y/N] ');
    terminal.close();
    return /^y(?:es)?$/i.test(answer.trim()) ? 'yes' : 'no';
  };
}

/** Takes the text of `file` into use. */
export async function apply(client: ApiClient, file: string, ask: Consent): Promise<CommandResult> {
  const text = readText(file);
  if (typeof text !== 'string') return text;
  const answer = await askPlan(client, text);
  if (answer.type !== 'answer') return failure(answer);
  const { value: view } = answer;
  const planned = planResult(file, view);
  const { verdict, current } = view;
  if (verdict === 'refused' || verdict === 'restart') {
    return { ...planned, exitCode: EXIT_CODES.findings, errorText: 'not applied\n' };
  }
  if (view.hash === current.hash) {
    return { exitCode: EXIT_CODES.good, text: `${file} is in use already\n`, json: view };
  }
  const inUse = fileInUse(current);
  if (typeof inUse !== 'string') return inUse;
  const decision = await ask(planned.text);
  if (decision === 'no') return stopped('not applied');
  if (decision === 'nobody-to-ask') {
    const nobody = stopped('there is nobody to ask: use --yes');
    return { ...nobody, exitCode: EXIT_CODES.usage, text: planned.text };
  }
  const result = await replace(client, { inUse, file, text, isSame: verdict === 'unchanged' });
  return { ...result, text: `${planned.text}\n${result.text}` };
}

/** Takes the text that the last `apply` set aside into use, and sets the present one aside. */
export async function rollback(client: ApiClient, ask: Consent): Promise<CommandResult> {
  const answer = await client.ask({ path: '/api/v1/status', answer: processSchema });
  if (answer.type !== 'answer') return failure(answer);
  const { file } = answer.value.config;
  if (file === undefined) return stopped(NO_FILE);
  const present = await realpath(file).catch(() => file);
  return await apply(client, previousOf(present), ask);
}

const NO_FILE = 'the SBC does not run on a file';

/** The file of the running SBC, which must be here and as the SBC has read it. */
function fileInUse(current: {
  readonly hash: string;
  readonly file?: string;
}): string | CommandResult {
  const { file, hash } = current;
  if (file === undefined) return stopped(NO_FILE);
  const text = readText(file);
  if (typeof text !== 'string') return text;
  if (createHash('sha256').update(text).digest('hex') === hash) return file;
  return stopped(
    `${file} is not what the SBC has in use: it was changed since (reload takes it over), or belongs to another machine`,
  );
}

interface Replacement {
  readonly inUse: string;
  /** Where the text comes from, as it was called. */
  readonly file: string;
  readonly text: string;
  /** It says the same in other words: what can be rolled back to stays. */
  readonly isSame: boolean;
}

async function replace(client: ApiClient, replacement: Replacement): Promise<CommandResult> {
  const { inUse, text, isSame } = replacement;
  let swap;
  try {
    swap = await swapConfig(inUse, text, isSame ? 'keep' : 'set-aside');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return stopped(`${inUse} cannot be replaced: ${reason}`);
  }
  const { file } = swap;
  const answer = await client.ask({
    method: 'POST',
    path: '/api/v1/config/reload',
    answer: reloadSchema,
    alsoAnswers: [422],
  });
  const hash = createHash('sha256').update(text).digest('hex');
  if (answer.type === 'answer' && answer.value.type === 'applied' && answer.value.hash === hash) {
    const done = isSame
      ? `applied; it means the same, so ${previousOf(file)} stays as it was\n`
      : `applied; the one before is ${previousOf(file)}, and rollback goes back to it\n`;
    return { exitCode: EXIT_CODES.good, text: done, json: { ...answer.value, file } };
  }
  await swap.undo();
  if (answer.type !== 'answer') {
    const failed = failure(answer);
    const doubt = `the old file is back; whether the SBC has read the new one is not known: reload it\n`;
    return { ...failed, errorText: `${failed.errorText ?? ''}${doubt}` };
  }
  const { value } = answer;
  const problems = value.type === 'refused' ? value.problems : [];
  const lines = problems.map((problem) => `${formatProblem(replacement.file, problem)}\n`).join('');
  const why = value.type === 'refused' ? 'refused' : 'the SBC has read another file';
  const errorText = `${lines}${why}, the old file is back\n`;
  return { exitCode: EXIT_CODES.findings, text: '', errorText, json: value };
}

function stopped(message: string): CommandResult {
  const json = { error: 'not-applied', message };
  return { exitCode: EXIT_CODES.findings, text: '', errorText: `${message}\n`, json };
}
