/** The cost of calls by their number, for each way to move packets: a table and a picture. Pure. */

import { drawCharts, type Line, logTicks } from './line-chart.ts';
import { type Cost, costOf, type Series } from './results.ts';
import { IO_KINDS, KIND_NAMES, type IoKind } from './subject-kinds.ts';

const CALL_TICKS = [1, 10, 100, 500, 1000, 2000];
const BYTES_PER_MB = 1024 * 1024;

export interface Curve {
  readonly io: IoKind;
  readonly costs: readonly Cost[];
}

export function curvesOf(series: Series): Curve[] {
  const calls = [...new Set(series.points.map(({ result }) => result.calls))];
  const ascending = calls.toSorted((a, b) => a - b);
  return IO_KINDS.map((io) => ({
    io,
    costs: ascending.flatMap((count) => costOf(series, io, count) ?? []),
  })).filter(({ costs }) => costs.length > 0);
}

export function drawCostCurve(series: Series): string {
  const curves = curvesOf(series);
  const lines = (pick: (cost: Cost) => number): Line[] =>
    curves.map(({ io, costs }) => ({
      name: KIND_NAMES[io],
      colour: IO_KINDS.indexOf(io),
      points: costs.map((cost) => [cost.calls, pick(cost)]),
    }));
  const chart = (
    title: string,
    pick: (cost: Cost) => number,
    { formatY, steps }: { formatY: (value: number) => string; steps: readonly number[] },
  ): Parameters<typeof drawCharts>[1][number] => {
    const drawn = lines(pick);
    const values = drawn.flatMap(({ points }) => points.map(([, value]) => value));
    const yTicks = logTicks(values, steps);
    return { title, xTicks: CALL_TICKS, yTicks, formatY, lines: drawn };
  };
  return drawCharts('What calls cost, by their number and the way packets are moved', [
    chart('CPU, of a core, softirq included', ({ busy }) => Math.max(0.1, 100 * busy), {
      formatY: (value) => `${value} %`,
      steps: [1, 3],
    }),
    chart('Added latency, p99', ({ p99Us }) => p99Us, { formatY: timeText, steps: [1] }),
    chart(
      'Resident memory of the process',
      ({ residentBytes }) => (residentBytes ?? 0) / BYTES_PER_MB,
      { formatY: (value) => `${value} MB`, steps: [1, 1.25, 1.5, 2, 3, 5, 7] },
    ),
  ]);
}

function timeText(us: number): string {
  if (us >= 1e6) return `${us / 1e6} s`;
  return us >= 1000 ? `${us / 1000} ms` : `${us} µs`;
}

export function costRows(series: Series): (string | number)[][] {
  return curvesOf(series).flatMap(({ io, costs }) =>
    costs.map((cost) => [
      KIND_NAMES[io],
      cost.calls,
      `${(100 * cost.busy).toFixed(1)} %`,
      cost.cpuUsPerPacket.toFixed(1),
      `${cost.p50Us.toFixed(0)} / ${cost.p99Us.toFixed(0)} / ${cost.p999Us.toFixed(0)}`,
      `${(100 * cost.loss).toFixed(2)} %`,
      cost.residentBytes === undefined ? '' : (cost.residentBytes / BYTES_PER_MB).toFixed(0),
    ]),
  );
}
