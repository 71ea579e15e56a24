/** A small line chart as SVG: logarithmic axes, readable on light and on dark ground. Pure. */

export interface Line {
  readonly name: string;
  /** One of the colours of `STYLE`. */
  readonly colour: number;
  readonly points: readonly (readonly [x: number, y: number])[];
}

export interface Chart {
  readonly title: string;
  readonly xTicks: readonly number[];
  readonly yTicks: readonly number[];
  readonly formatY: (value: number) => string;
  readonly lines: readonly Line[];
}

export const PANEL_WIDTH = 400;
export const PANEL_HEIGHT = 300;
const PLOT = { left: 58, right: 16, top: 34, bottom: 34 };
const LEGEND_HEIGHT = 40;
const LEGEND_STEP = 150;

/** Colours hold on white and on black; ground and ink follow the reader's scheme. */
const STYLE = `
  svg { font: 12px system-ui, sans-serif; }
  .ground { fill: #ffffff; } .ink { fill: #24292f; } .grid { stroke: #d0d7de; } .axis { stroke: #57606a; }
  .c0 { stroke: #1f77b4; } .c1 { stroke: #c8630a; } .c2 { stroke: #2a8f3c; } .c3 { stroke: #8a63c9; }
  .d0 { fill: #1f77b4; } .d1 { fill: #c8630a; } .d2 { fill: #2a8f3c; } .d3 { fill: #8a63c9; }
  .line { fill: none; stroke-width: 2; }
  @media (prefers-color-scheme: dark) {
    .ground { fill: #0d1117; } .ink { fill: #e6edf3; } .grid { stroke: #30363d; } .axis { stroke: #8b949e; }
    .c0 { stroke: #58a6ff; } .c1 { stroke: #f0883e; } .c2 { stroke: #56d364; } .c3 { stroke: #bc8cff; }
    .d0 { fill: #58a6ff; } .d1 { fill: #f0883e; } .d2 { fill: #56d364; } .d3 { fill: #bc8cff; }
  }`;

/** Charts side by side with one legend above them. */
export function drawCharts(title: string, charts: readonly Chart[]): string {
  const width = PANEL_WIDTH * charts.length;
  const height = PANEL_HEIGHT + LEGEND_HEIGHT;
  const panels = charts.map(
    (chart, index) =>
      `<g transform="translate(${index * PANEL_WIDTH} ${LEGEND_HEIGHT})">${drawPanel(chart)}</g>`,
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    `<title>${escape(title)}</title><style>${STYLE}\n</style>`,
    `<rect class="ground" width="${width}" height="${height}" rx="6"/>`,
    drawLegend(charts),
    ...panels,
    '</svg>\n',
  ].join('\n');
}

function drawLegend(charts: readonly Chart[]): string {
  const names = new Map(
    charts.flatMap(({ lines }) => lines.map(({ name, colour }) => [name, colour] as const)),
  );
  return [...names]
    .map(([name, colour], index) => {
      const x = PLOT.left + index * LEGEND_STEP;
      return (
        `<line class="c${colour} line" x1="${x}" x2="${x + 24}" y1="24" y2="24"/>` +
        `<text class="ink" x="${x + 30}" y="28">${escape(name)}</text>`
      );
    })
    .join('\n');
}

function drawPanel(chart: Chart): string {
  const x = scale(chart.xTicks, PLOT.left, PANEL_WIDTH - PLOT.right);
  const y = scale(chart.yTicks, PANEL_HEIGHT - PLOT.bottom, PLOT.top);
  const bottom = PANEL_HEIGHT - PLOT.bottom;
  const right = PANEL_WIDTH - PLOT.right;
  const parts = [
    `<text class="ink" x="${PLOT.left}" y="20" font-weight="600">${escape(chart.title)}</text>`,
  ];
  for (const tick of chart.yTicks) {
    const at = y(tick).toFixed(1);
    parts.push(`<line class="grid" x1="${PLOT.left}" x2="${right}" y1="${at}" y2="${at}"/>`);
    parts.push(
      `<text class="ink" x="${PLOT.left - 6}" y="${(y(tick) + 4).toFixed(1)}" text-anchor="end">${escape(chart.formatY(tick))}</text>`,
    );
  }
  for (const tick of chart.xTicks) {
    const at = x(tick).toFixed(1);
    parts.push(`<line class="axis" x1="${at}" x2="${at}" y1="${bottom}" y2="${bottom + 4}"/>`);
    parts.push(
      `<text class="ink" x="${at}" y="${bottom + 17}" text-anchor="middle">${shortOf(tick)}</text>`,
    );
  }
  parts.push(`<line class="axis" x1="${PLOT.left}" x2="${right}" y1="${bottom}" y2="${bottom}"/>`);
  parts.push(
    `<text class="ink" x="${(PLOT.left + right) / 2}" y="${PANEL_HEIGHT - 4}" text-anchor="middle">calls</text>`,
  );
  for (const { colour, points } of chart.lines) {
    const places = points.map(([a, b]) => `${x(a).toFixed(1)},${y(b).toFixed(1)}`);
    parts.push(`<polyline class="c${colour} line" points="${places.join(' ')}"/>`);
    for (const place of places) {
      const [cx = '', cy = ''] = place.split(',');
      parts.push(`<circle class="d${colour}" cx="${cx}" cy="${cy}" r="3"/>`);
    }
  }
  return parts.join('\n');
}

/** 2000 as 2k: neighbours on a logarithmic axis have little room. */
function shortOf(value: number): string {
  return value >= 1000 ? `${value / 1000}k` : String(value);
}

/** Logarithmic between the first and the last tick; what lies outside is drawn at the edge. */
function scale(ticks: readonly number[], from: number, to: number): (value: number) => number {
  const [first = 1] = ticks;
  const last = ticks.at(-1) ?? first;
  const span = Math.log(last / first) || 1;
  return (value) => {
    const inside = Math.min(last, Math.max(first, value));
    return from + (Math.log(inside / first) / span) * (to - from);
  };
}

/** Ticks at 1, 2 and 5 times powers of ten (`steps`) that enclose all values. */
export function logTicks(values: readonly number[], steps: readonly number[] = [1]): number[] {
  const positive = values.filter((value) => value > 0 && Number.isFinite(value));
  if (positive.length === 0) return [1, 10];
  const [least, most] = [Math.min(...positive), Math.max(...positive)];
  const ticks: number[] = [];
  for (
    let power = Math.floor(Math.log10(least));
    power <= Math.ceil(Math.log10(most)) + 1;
    power += 1
  ) {
    for (const step of steps) ticks.push(Number((step * 10 ** power).toPrecision(3)));
  }
  const first = Math.max(
    0,
    ticks.findLastIndex((tick) => tick <= least),
  );
  const end = ticks.findIndex((tick) => tick >= most);
  const enclosing = ticks.slice(first, end < 0 ? undefined : end + 1);
  return enclosing.length > 1 ? enclosing : ticks.slice(first, first + 2);
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
