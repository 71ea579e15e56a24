/** The ladder of a call as a file, in the form that its name ends with. */
import { writeFile } from 'node:fs/promises';
import { ladderSchema } from '../api/schemas.ts';
import { formatLadder } from '../observe/ladder-format.ts';
import { mermaidLadder } from '../observe/ladder-mermaid.ts';
import { pcapLadder } from '../observe/ladder-pcap.ts';
import type { Ladder } from '../observe/ladder.ts';
import { type ApiClient, failure } from './api-client.ts';
import { EXIT_CODES } from './exit-codes.ts';
import { type CommandResult, failed } from './output.ts';

const FILE_WIDTH = 120;

const WRITERS: readonly {
  readonly ending: RegExp;
  readonly write: (ladder: Ladder) => string | Buffer;
}[] = [
  { ending: /\.pcap$/i, write: pcapLadder },
  { ending: /\.(?:mmd|mermaid)$/i, write: mermaidLadder },
  { ending: /\.json$/i, write: (ladder) => `${JSON.stringify(ladder, undefined, 2)}\n` },
];

function drawn({ rows, ends: _ends, ...gaps }: Ladder): string {
  return formatLadder(rows, { width: FILE_WIDTH, ...gaps });
}

export async function exportLadder(
  client: ApiClient,
  callId: string,
  file: string,
): Promise<CommandResult> {
  const path = `/api/v1/calls/${encodeURIComponent(callId)}/ladder`;
  const ladder = await client.ask({ path, answer: ladderSchema });
  if (ladder.type !== 'answer') return failure(ladder);
  const write = WRITERS.find(({ ending }) => ending.test(file))?.write ?? drawn;
  try {
    await writeFile(file, write(ladder.value));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return failed('not-written', `${file} cannot be written: ${reason}`);
  }
  const { droppedTexts } = ladder.value;
  const rows = ladder.value.rows.length;
  const missing = droppedTexts === 0 ? '' : `, without the texts of ${droppedTexts} messages`;
  const text = `${file}: ${rows} rows of call ${callId}${missing}\n`;
  return { exitCode: EXIT_CODES.good, text, json: { file, rows, droppedTexts } };
}
