/** `tonebridge agents lock` and `agents unlock`: take a session agent out by hand and give it back. */
import type { Command } from 'commander';
import { agentSchema } from '../api/schemas.ts';
import { ApiClient, clientFor, failure, withApiOption } from './api-client.ts';
import { EXIT_CODES } from './exit-codes.ts';
import { type CommandResult, finish } from './output.ts';

const CHANGES = [
  { name: 'lock', description: 'send no new calls to a session agent; those that are up go on' },
  { name: 'unlock', description: 'send new calls to a session agent again' },
] as const;

export type LockChange = (typeof CHANGES)[number]['name'];

export function addAgentsCommand(program: Command): void {
  const agents = program.command('agents').description('take session agents out and back in');
  for (const { name: change, description } of CHANGES) {
    withApiOption(agents.command(change))
      .description(description)
      .argument('<agent>', 'name of the session agent')
      .action(async (agent: string, _options: unknown, command: Command) => {
        const client = clientFor(command);
        const isClient = client instanceof ApiClient;
        finish(command, isClient ? await changeLock(client, agent, change) : client);
      });
  }
}

export async function changeLock(
  client: ApiClient,
  agent: string,
  change: LockChange,
): Promise<CommandResult> {
  const path = `/api/v1/agents/${encodeURIComponent(agent)}/${change}`;
  const answer = await client.ask({ method: 'POST', path, answer: agentSchema });
  if (answer.type !== 'answer') return failure(answer);
  const { value } = answer;
  const { name, state, reason, activeSessions } = value;
  const calls = `${activeSessions} ${activeSessions === 1 ? 'call' : 'calls'}`;
  const text = `${name}: ${state} (${reason}), ${calls} up\n`;
  return { exitCode: EXIT_CODES.good, text, json: value };
}
