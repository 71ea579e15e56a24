/** `tonebridge drain`: no new calls, and with --wait the end of those that are up. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { processSchema } from '../api/live-schemas.ts';
import { drainSchema } from '../api/schemas.ts';
import { parseDurationMs } from '../config/duration.ts';
import { ApiClient, clientFor, failure, withApiOption } from './api-client.ts';
import { EXIT_CODES } from './exit-codes.ts';
import { type CommandResult, finish } from './output.ts';
import { progressOf } from './progress.ts';

const POLL_MS = 1000;
/** Questions in a row that may stay without answer while the SBC is busy. */
const PATIENCE = 3;

interface DrainOptions {
  readonly wait?: boolean;
  readonly timeout?: string;
}

/** How long is waited, and who is told meanwhile. */
export interface DrainWait {
  readonly timeoutMs: number;
  readonly pollMs?: number;
  readonly tell?: (text: string) => void;
}

export function addDrainCommand(program: Command): void {
  withApiOption(program.command('drain'))
    .description('take no new calls; those that are up go on')
    .option('--wait', 'until the last call has ended')
    .option('--timeout <duration>', 'with --wait: give up after this time, such as 30s or 2h')
    .addHelpText(
      'after',
      `
Exit status with --wait: 0 no call is left, 1 the time was over before, 3 the SBC does not answer.

Examples:
  tonebridge drain
  tonebridge drain --wait --timeout 30m`,
    )
    .action(async (options: DrainOptions, command: Command) => {
      const timeoutMs = timeoutOf(command, options);
      const client = clientFor(command);
      if (!(client instanceof ApiClient)) finish(command, client);
      else if (options.wait === true) {
        const progress = progressOf(command);
        const tell = (text: string): void => progress.show(text);
        const result = await drainAndWait(client, { timeoutMs, tell });
        progress.end();
        finish(command, result);
      } else finish(command, await drain(client));
    });
}

export async function drain(client: ApiClient): Promise<CommandResult> {
  const path = '/api/v1/drain';
  const answer = await client.ask({ method: 'POST', path, answer: drainSchema });
  if (answer.type !== 'answer') return failure(answer);
  const text = `draining, ${callsText(answer.value.activeCalls)} left\n`;
  return { exitCode: EXIT_CODES.good, text, json: answer.value };
}

/** Drains and comes back when no call is left, or `timeoutMs` is over. */
export async function drainAndWait(client: ApiClient, wait: DrainWait): Promise<CommandResult> {
  const { timeoutMs, pollMs = POLL_MS, tell = () => undefined } = wait;
  const startMs = performance.now();
  const begun = await client.ask({ method: 'POST', path: '/api/v1/drain', answer: drainSchema });
  if (begun.type !== 'answer') return failure(begun);
  let { activeCalls } = begun.value;
  let missed = 0;
  while (activeCalls > 0) {
    const leftMs = timeoutMs - (performance.now() - startMs);
    if (leftMs <= 0) return ended(activeCalls, performance.now() - startMs);
    tell(`draining, ${callsText(activeCalls)} left`);
    await sleep(Math.min(pollMs, leftMs));
    const answer = await client.ask({ path: '/api/v1/status', answer: processSchema });
    if (answer.type === 'answer') ({ activeCalls } = answer.value);
    missed = answer.type === 'answer' ? 0 : missed + 1;
    if (answer.type !== 'answer' && missed >= PATIENCE) return failure(answer);
  }
  return ended(0, performance.now() - startMs);
}

function ended(activeCalls: number, waitedMs: number): CommandResult {
  const isDrained = activeCalls === 0;
  const json = { activeCalls, isDrained, waitedMs: Math.round(waitedMs) };
  if (isDrained) return { exitCode: EXIT_CODES.good, text: 'drained, no call is left\n', json };
  const errorText = `the time is over, ${callsText(activeCalls)} left\n`;
  return { exitCode: EXIT_CODES.findings, text: '', errorText, json };
}

function timeoutOf(command: Command, { wait, timeout }: DrainOptions): number {
  if (timeout === undefined) return Number.POSITIVE_INFINITY;
  const timeoutMs = parseDurationMs(timeout);
  if (timeoutMs === undefined) {
    return command.error(`error: --timeout ${timeout} is no duration such as 30s`);
  }
  return wait === true ? timeoutMs : command.error('error: --timeout goes with --wait');
}

function callsText(count: number): string {
  return `${count} ${count === 1 ? 'call' : 'calls'}`;
}
