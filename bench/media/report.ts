/** A series as the Markdown that stands in README.md. Pure. */

import { costRows } from './cost-curve.ts';
import { mergeBuckets, percentileUs } from './latency-histogram.ts';
import { capacityOf, capacityRatio, costOf, median, type Memory, type Series } from './results.ts';
import { KIND_NAMES, KINDS, type Kind } from './subject-kinds.ts';
import { targetsOf, verdictOf } from './targets.ts';

type Cell = string | number;

/** A table as Markdown, columns in line. */
export function markdownTable(head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const cells = [head, head.map(() => '---'), ...rows.map((row) => row.map(String))];
  const widths = head.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  const pad = (cell: string, column: number): string => cell.padEnd(widths[column] ?? 0);
  return cells
    .map((row, index) =>
      index === 1
        ? `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`
        : `| ${row.map(pad).join(' | ')} |`,
    )
    .join('\n');
}

/** All tables of a series, with a line above each. */
export function reportOf(series: Series, runs: number): string {
  return [
    ...unavailableLines(series),
    `Most calls on one core with less than 0.1 % of the packets lost or over 50 ms late; medians of ${runs} rounds, ratios within each round:`,
    capacityTable(series),
    latencyText(series),
    latencyTable(series),
    'Memory of a call:',
    memoryTable(series),
    stallText(series),
    stallTable(series),
    'The targets:',
    targetTable(series),
    ...carriedLines(series),
    'The cost of calls by their number:',
    '![CPU, p99 and memory by calls](media/cost-curve.svg)',
    markdownTable(
      ['', 'calls', 'CPU', 'µs/packet', 'p50 / p99 / p99.9 µs', 'loss', 'RSS MB'],
      costRows(series),
    ),
  ].join('\n\n');
}

function unavailableLines(series: Series): string[] {
  return series.unavailable.map(
    ([kind, reason]) => `**${KIND_NAMES[kind]} was not available: ${reason}.**`,
  );
}

function carriedLines(series: Series): string[] {
  const shares = series.points.flatMap(({ result, flowsCarried }) =>
    flowsCarried === undefined ? [] : flowsCarried / (2 * result.calls),
  );
  if (shares.length === 0) return [];
  const [least, most] = [Math.min(...shares), Math.max(...shares)];
  return [
    `io: kernel had ${(100 * least).toFixed(0)} to ${(100 * most).toFixed(0)} % of the directions in the kernel at the end of its runs.`,
  ];
}

function capacityTable(series: Series): string {
  const rows = KINDS.flatMap((kind) => {
    const capacity = capacityOf(series, kind);
    if (capacity === undefined) return [];
    return [
      [
        KIND_NAMES[kind],
        `${capacity.isBound ? '>= ' : ''}${Math.round(capacity.calls)}`,
        capacity.all.join(' '),
        ratioText(capacityRatio(series, kind, 'rtpengine')),
        ratioText(capacityRatio(series, kind, 'c-relay')),
      ],
    ];
  });
  return markdownTable(['', 'calls', 'each round', '/ rtpengine', '/ C'], rows);
}

function latencyText(series: Series): string {
  const floors = [500, 1000].map((calls) => {
    const histograms = series.floor.filter(({ result }) => result.calls === calls);
    const all = mergeBuckets(histograms.map(({ result }) => result.latency));
    const busy = median(histograms.map(({ result }) => result.loadBusy)) ?? 0;
    return `${calls} calls ${microseconds(all)} with ${(100 * busy).toFixed(0)} % of the load's core`;
  });
  return (
    `Added latency, p50 / p99 / p99.9 in µs, and CPU per packet with all that the kernel does for it (in brackets: the relay's process alone). The floor, from peer ` +
    `to peer: ${floors.join(', ')}. Runs repeated because the load was late: ${series.voidRuns}.`
  );
}

function microseconds(buckets: Parameters<typeof percentileUs>[0]): string {
  return [0.5, 0.99, 0.999]
    .map((share) => (percentileUs(buckets, share) ?? 0).toFixed(0))
    .join(' / ');
}

function latencyTable(series: Series): string {
  const cells = (kind: Kind, calls: number): string[] => {
    const cost = costOf(series, kind, calls);
    if (cost === undefined) return ['', '', ''];
    return [
      `${cost.p50Us.toFixed(0)} / ${cost.p99Us.toFixed(0)} / ${cost.p999Us.toFixed(0)}`,
      `${(100 * cost.loss).toFixed(2)} %`,
      `${cost.cpuUsPerPacket.toFixed(1)} (${cost.processUsPerPacket.toFixed(1)})`,
    ];
  };
  const measured = KINDS.filter((kind) => series.points.some((point) => point.kind === kind));
  const rows = measured.map((kind) => [
    KIND_NAMES[kind],
    ...cells(kind, 500),
    ...cells(kind, 1000),
  ]);
  const head = ['500 calls', 'loss', 'µs/packet', '1000 calls', 'loss', 'µs/packet'];
  return markdownTable(['', ...head], rows);
}

function memoryTable(series: Series): string {
  const head = ['', 'calls', 'resident kB/call', 'heap kB/call', 'process with one call MB'];
  return markdownTable(head, series.memories.map(memoryRow));
}

function memoryRow(memory: Memory): string[] {
  return [
    KIND_NAMES[memory.kind],
    String(memory.calls),
    kB(memory.residentBytesPerCall),
    kB(memory.heapBytesPerCall),
    (memory.emptyResidentBytes / 1e6).toFixed(0),
  ];
}

function kB(bytes: number | undefined): string {
  return bytes === undefined ? '' : (bytes / 1000).toFixed(1);
}

function stallText(series: Series): string {
  const [stall] = series.stalls;
  return (
    `Stalls: the main thread is busy for so many ms of each 100, on the core of the load; ` +
    `${stall?.result.calls ?? 0} calls, sent in slots of 200 µs, which alone makes packets wait:`
  );
}

function stallTable(series: Series): string {
  const rows = series.stalls.map(({ kind, busyMs, result }) => [
    KIND_NAMES[kind],
    busyMs,
    microseconds(result.latency),
    (percentileUs(result.latency, 1) ?? 0).toFixed(0),
    `${(100 * result.loss).toFixed(2)} %`,
    (percentileUs(result.lateness, 0.999) ?? 0).toFixed(0),
  ]);
  const head = ['', 'busy ms', 'p50 / p99 / p99.9 µs', 'max µs', 'loss', 'load late p99.9 µs'];
  return markdownTable(head, rows);
}

function targetTable(series: Series): string {
  const rows = targetsOf(series).map((target) => {
    const { what, isAtLeast, asked, measured, unit } = target;
    const value = measured === undefined ? '' : `${Number(measured.toPrecision(3))}${unit}`;
    return [what, `${isAtLeast ? '>=' : '<='} ${asked}${unit}`, value, verdictOf(target)];
  });
  return markdownTable(['target', 'asked', 'measured', ''], rows);
}

function ratioText(ratio: number | undefined): string {
  return ratio === undefined ? '' : ratio.toFixed(2);
}
