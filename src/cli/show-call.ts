/** `tonebridge show call`: all that is known of one call, whether it is up or has ended a short while ago. */
import type { Command } from 'commander';
import { z } from 'zod';
import type { ExplanationView } from '../api/backend.ts';
import { callSchema, digitSchema, explanationSchema, ladderSchema } from '../api/schemas.ts';
import { formatLadder, type LadderFormat } from '../observe/ladder-format.ts';
import type { Ladder } from '../observe/ladder.ts';
import { ApiClient, clientFor, failure, withApiOption } from './api-client.ts';
import { EXIT_CODES } from './exit-codes.ts';
import { type CommandResult, finish } from './output.ts';
import { formatCall, formatDigits } from './show-tables.ts';
import { terminalOf } from './terminal.ts';

export function addShowCallCommand(show: Command): void {
  withApiOption(show.command('call'))
    .description('one call that is up or has ended: legs, decisions, digits and ladder')
    .argument('<call>', 'call id')
    .action(async (callId: string, _options: unknown, command: Command) => {
      const client = clientFor(command);
      const format = ladderFormat();
      finish(
        command,
        client instanceof ApiClient ? await showWholeCall(client, callId, format) : client,
      );
    });
}

/** As the terminal takes it. */
export function ladderFormat(): LadderFormat {
  const { columns, hasColour } = terminalOf(process.stdout);
  return { colour: hasColour, ...(columns === undefined ? {} : { width: columns }) };
}

export async function showWholeCall(
  client: ApiClient,
  callId: string,
  format: LadderFormat,
): Promise<CommandResult> {
  const path = `/api/v1/calls/${encodeURIComponent(callId)}`;
  const call = await client.ask({ path, answer: callSchema });
  if (call.type !== 'answer') return failure(call);
  const explained = await client.ask({ path: `${path}/explanation`, answer: explanationSchema });
  const laddered = await client.ask({ path: `${path}/ladder`, answer: ladderSchema });
  const query = `?call=${encodeURIComponent(callId)}`;
  const pressed = await client.ask({
    path: `/api/v1/digits${query}`,
    answer: z.array(digitSchema),
  });
  // Each may have gone meanwhile, with the call itself still there.
  const explanation = explained.type === 'answer' ? explained.value : undefined;
  const ladder = laddered.type === 'answer' ? laddered.value : undefined;
  const digits = pressed.type === 'answer' ? pressed.value : [];
  const parts = [
    formatCall(call.value),
    ...(explanation === undefined ? [] : [formatExplanation(explanation)]),
    ...(digits.length === 0 ? [] : [formatDigits(digits)]),
    ...(ladder === undefined ? [] : [formatLadder(ladder.rows, { ...format, ...gapsOf(ladder) })]),
  ];
  const json = { call: call.value, explanation, digits, ladder };
  return { exitCode: EXIT_CODES.good, text: parts.join('\n'), json };
}

/** What the bounds have taken out of a ladder. */
export function gapsOf({ droppedRows, gapAt, droppedTexts }: Ladder): LadderFormat {
  return { droppedRows, gapAt, droppedTexts };
}

/** What was decided, step by step; the plan in force stands with the call. */
export function formatExplanation({ policy, skipped = [], decisions }: ExplanationView): string {
  const lines = [
    ...(policy === undefined ? [] : [`policy: ${policy}`]),
    ...skipped.map(({ agent, reason }) => `not tried: ${agent} (${reason})`),
    ...decisions.flatMap((decision) => {
      if (decision.type === 'plan') return [];
      const { row, reason } = decision.decision;
      return [`${decision.type} of the ${decision.from} (${row}): ${reason}`];
    }),
  ];
  return lines.map((line) => `${line.replaceAll(/\p{Cc}/gu, '·')}\n`).join('');
}
