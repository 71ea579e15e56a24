/** What the demo prints: per call the ladder, the decision, the ledger, and what both ends recorded. */
import type { DigitLedger, DigitOutputRecord, DigitRecord } from '../observe/digit-ledger.ts';
import { formatLadder } from '../observe/ladder-format.ts';
import type { LadderRecorder } from '../observe/ladder.ts';

export interface DemoDirection {
  readonly name: string;
  /** Per key that arrived: from the key at one end to its first sign at the other. */
  readonly latenciesMs: readonly number[];
  /** All keys the other end recorded, in order. */
  readonly received: string;
  readonly expected: string;
}

export interface DemoCall {
  readonly title: string;
  readonly directions: readonly DemoDirection[];
  /** Irregularities seen at either end; they do not decide. */
  readonly remarks: readonly string[];
  readonly audioPackets: { readonly phone: number; readonly trunk: number };
}

export interface DemoRecords {
  readonly ledger: DigitLedger;
  readonly ladder: LadderRecorder;
  /** Prints the ladder of every call, not only of the first. */
  readonly isVerbose: boolean;
}

const REMARK_LIMIT = 10;

/** The whole text, ending with the verdict. */
export function formatResult(calls: readonly DemoCall[], records: DemoRecords): string {
  const callIds = [...new Set(records.ledger.list().map((record) => record.callId))];
  const parts = calls.map((call, index) => {
    const callId = callIds[index];
    return [
      `\n=== Call ${index + 1}: ${call.title}\n`,
      ...(callId === undefined
        ? []
        : [formatRecords(callId, records, index === 0 || records.isVerbose)]),
      formatRecordings(call),
    ].join('\n');
  });
  return `${parts.join('\n')}\n${verdict(calls)}\n`;
}

function formatRecords(callId: string, records: DemoRecords, hasLadder: boolean): string {
  const rows = records.ladder.ladder(callId)?.rows ?? [];
  const decisions = rows.filter((row) => row.kind === 'decision').map((row) => `  ${row.summary}`);
  const presses = records.ledger.list({ callId });
  return [
    ...(hasLadder ? ['Ladder', formatLadder(rows)] : []),
    'Decision',
    ...new Set(decisions),
    '',
    'Digit ledger',
    formatTable(
      ['digit', 'direction', 'came as', 'left as', 'latency'],
      presses.map((record) => [
        record.digit,
        record.direction,
        sourceText(record),
        record.dropped === undefined
          ? record.outputs.map(outputText).join(', ')
          : `dropped: ${record.dropped}`,
        record.outputs.map(latencyText).join(', '),
      ]),
    ),
  ].join('\n');
}

function formatRecordings(call: DemoCall): string {
  const rows = call.directions.map((direction) => {
    const latencies = direction.latenciesMs;
    const isWhole = direction.received === direction.expected;
    return [
      direction.name,
      direction.received,
      isWhole ? 'each once, in order' : `WRONG, expected ${direction.expected}`,
      latencies.length === 0
        ? '-'
        : `${milliseconds(median(latencies))} / ${milliseconds(Math.max(...latencies))}`,
    ];
  });
  const { phone, trunk } = call.audioPackets;
  return [
    'What the two ends recorded',
    formatTable(['direction', 'keys received', 'verdict', 'latency median / worst'], rows),
    `RTP packets received: phone ${phone}, trunk ${trunk}`,
    ...call.remarks.slice(0, REMARK_LIMIT).map((remark) => `remark: ${remark}`),
    ...(call.remarks.length > REMARK_LIMIT
      ? [`… ${call.remarks.length - REMARK_LIMIT} more remarks`]
      : []),
  ].join('\n');
}

function verdict(calls: readonly DemoCall[]): string {
  const directions = calls.flatMap((call) => call.directions);
  const wrong = directions.filter((direction) => direction.received !== direction.expected);
  const keys = directions.reduce((sum, direction) => sum + direction.expected.length, 0);
  if (wrong.length === 0)
    return `PASSED: ${keys} of ${keys} key presses arrived once and in order.`;
  return `FAILED: ${wrong.length} of ${directions.length} directions lost, doubled or disordered keys.`;
}

function sourceText({ source }: DigitRecord): string {
  return source.type === 'rtp'
    ? `RTP event at ${source.rtpTimestamp}`
    : `${source.type.toUpperCase()}, CSeq ${source.cseq}`;
}

function outputText(output: DigitOutputRecord): string {
  if (output.type === 'relay') return 'RTP relayed';
  if (output.type === 'rtp') return `RTP event at ${output.rtpTimestamp}`;
  return `${output.type.toUpperCase()}, answered ${output.status}`;
}

function latencyText(output: DigitOutputRecord): string {
  return output.type === 'relay' ? '-' : milliseconds(output.latencyMs);
}

function milliseconds(value: number): string {
  return `${value.toFixed(1)} ms`;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

/** Columns as wide as their widest cell. */
function formatTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((name, column) =>
    Math.max(name.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    `  ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd();
  return (
    [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n') +
    '\n'
  );
}
