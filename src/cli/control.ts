/** `tonebridge reload` and `tonebridge drain`: change what a running SBC does. */
import type { Command } from 'commander';
import { reloadSchema } from '../api/schemas.ts';
import { formatProblem } from '../config/problem.ts';
import { ApiClient, clientFor, failure, withApiOption } from './api-client.ts';
import { addDrainCommand } from './drain.ts';
import { EXIT_CODES } from './exit-codes.ts';
import { type CommandResult, finish } from './output.ts';

/** First digits of a hash: enough to tell two configurations apart. */
const SHORT_HASH_LENGTH = 12;

export function addControlCommands(program: Command): void {
  withApiOption(program.command('reload'))
    .description('read the configuration file again; an invalid one is refused and the old stays')
    .action(async (_options: unknown, command: Command) => run(command, reload));
  addDrainCommand(program);
}

export async function reload(client: ApiClient): Promise<CommandResult> {
  const answer = await client.ask({
    method: 'POST',
    path: '/api/v1/config/reload',
    answer: reloadSchema,
    alsoAnswers: [422],
  });
  if (answer.type !== 'answer') return failure(answer);
  const { value } = answer;
  if (value.type === 'refused') {
    const lines = value.problems.map((problem) => `${formatProblem('configuration', problem)}\n`);
    const errorText = `${lines.join('')}refused, the old configuration stays\n`;
    return { exitCode: EXIT_CODES.findings, text: '', errorText, json: value };
  }
  const what = value.isChanged ? 'applied' : 'is already in use';
  const text = `configuration ${value.hash.slice(0, SHORT_HASH_LENGTH)} ${what}\n`;
  return { exitCode: EXIT_CODES.good, text, json: value };
}

async function run(
  command: Command,
  change: (client: ApiClient) => Promise<CommandResult>,
): Promise<void> {
  const client = clientFor(command);
  finish(command, client instanceof ApiClient ? await change(client) : client);
}
