import { describe, expect, it } from 'vitest';
import { drawCostCurve } from '../../../bench/media/cost-curve.ts';
import { drawCharts, logTicks } from '../../../bench/media/line-chart.ts';
import { NO_SERIES, sampleRun } from './media-series.ts';

describe('ticks of a logarithmic axis', () => {
  it.each([
    [[3, 40], [1], [1, 10, 100]],
    [[10, 100], [1], [10, 100]],
    [
      [110, 180],
      [1, 2, 5],
      [100, 200],
    ],
    [[0.2, 30], [1], [0.1, 1, 10, 100]],
    [[7], [1], [1, 10]],
    [[10], [1], [10, 100]],
    [[0, -1], [1], [1, 10]],
    [[], [1], [1, 10]],
  ])('for %j in steps of %j are %j', (values, steps, ticks) => {
    expect(logTicks(values, steps)).toEqual(ticks);
  });
});

describe('chart', () => {
  const chart = {
    title: 'p99 < 5 & more',
    xTicks: [1, 10, 100],
    yTicks: [1, 100],
    formatY: (value: number): string => `${value} ms`,
    lines: [
      {
        name: 'a',
        colour: 0,
        points: [
          [1, 1],
          [10, 10],
          [100, 1000],
        ] as [number, number][],
      },
    ],
  };

  it('places points on logarithmic scales, those outside at the edge', () => {
    const places = /points="([^"]*)"/.exec(drawCharts('t', [chart]))?.[1]?.split(' ');
    const [first, middle, last] = (places ?? []).map((place) => place.split(',').map(Number));
    expect(first?.[0]).toBeCloseTo(58);
    expect(middle?.[0]).toBeCloseTo(((first?.[0] ?? 0) + (last?.[0] ?? 0)) / 2);
    expect(middle?.[1]).toBeCloseTo(((first?.[1] ?? 0) + (last?.[1] ?? 0)) / 2);
    expect(last?.[1]).toBeCloseTo(34);
  });

  it('names each line once and escapes its texts', () => {
    const svg = drawCharts('both', [chart, chart]);
    expect(svg.match(/>a</g)).toHaveLength(1);
    expect(svg).toContain('p99 &lt; 5 &amp; more');
  });
});

describe('cost curve', () => {
  it('has three charts and a line for each way that was measured', () => {
    const svg = drawCostCurve({
      ...NO_SERIES,
      points: [1, 10, 100].flatMap((calls) => [
        { kind: 'dgram' as const, round: 0, result: sampleRun(calls), residentBytes: 9e7 },
        { kind: 'rtpengine' as const, round: 0, result: sampleRun(calls), residentBytes: 9e7 },
      ]),
    });
    expect(svg.match(/<polyline/g)).toHaveLength(3);
    expect(svg.match(/<circle/g)).toHaveLength(9);
    expect(svg).toContain('io: dgram');
    expect(svg).not.toContain('rtpengine');
  });
});
