/** One chart: uPlot in a box that follows the width of the page, and beside it the values at the cursor. */
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import { columns } from './chart-data.js';
import { html } from './html.js';

/** All charts of the page show the same moment. */
const SYNC_KEY = 'tonebridge';
const HEIGHT_PX = 170;
const FONT = '12px system-ui, sans-serif';
/** Less than this is never drawn over the whole width. */
const LEAST_SECONDS = 120;
/** Steps of the time axis, seconds. */
const TIME_STEPS = [15, 30, 60, 120, 300, 600, 900, 1800];
const COUNT_STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000];

const CLOCK = new Intl.DateTimeFormat(undefined, {
  hour: '2-digit',
  minute: '2-digit',
  hour12: false,
});
const EXACT_CLOCK = new Intl.DateTimeFormat(undefined, {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hour12: false,
});

/**
 * @param props `title`, `lines` (each `label`, `tone`, `words(value)`, `valueOf(point)`), `isCount`, and as they come:
 *   `points`, `intervalMs`, `windowSeconds`.
 */
export function Chart({ title, lines, isCount, points, intervalMs, windowSeconds }) {
  const box = useRef();
  const plot = useRef();
  const [index, setIndex] = useState(undefined);
  const data = useMemo(() => columns(points, lines, intervalMs), [points, lines, intervalMs]);
  const range = useRef();
  range.current = rangeOf(points, windowSeconds);
  useEffect(() => {
    const options = optionsOf({ lines, isCount, range, width: box.current.clientWidth });
    options.hooks = { setCursor: [(u) => setIndex(u.cursor.idx ?? undefined)] };
    plot.current = new uPlot(options, data, box.current);
    const stopFollowing = follow(plot.current, box.current);
    return () => {
      stopFollowing();
      plot.current.destroy();
    };
  }, [lines, isCount]);
  useEffect(() => plot.current.setData(data), [data, windowSeconds]);
  const shown = index !== undefined && index < data[0].length ? index : data[0].length - 1;
  return html`<section class="card chart" aria-label=${title}>
    <h2>${title}</h2>
    <${Legend} ...${{ lines, data, shown, isPointed: index !== undefined }} />
    <div ref=${box} class="plot" role="img" aria-label=${summaryOf(title, lines, data)}></div>
  </section>`;
}

/** The newest values, or those under the pointer with their time. */
function Legend({ lines, data, shown, isPointed }) {
  const at = data[0][shown];
  return html`<p class="legend" aria-hidden="true">
    ${lines.map(
      ({ label, tone, words }, each) =>
        html`<span key=${label}
          ><i class="line ${tone}"></i>${label}
          <b>${words(data[each + 1][shown] ?? undefined)}</b></span
        >`,
    )}
    ${
      isPointed && at !== undefined
        ? html`<span class="quiet">${EXACT_CLOCK.format(new Date(at * 1000))}</span>`
        : null
    }
  </p>`;
}

/** What somebody who does not see the chart hears of it. */
function summaryOf(title, lines, data) {
  const parts = lines.map(({ label, words }, each) => {
    const values = data[each + 1].filter((value) => value !== null);
    if (values.length === 0) return `${label}: nothing to show`;
    return `${label}: now ${words(data[each + 1].at(-1) ?? undefined)}, at most ${words(Math.max(...values))}`;
  });
  return `${title}. ${parts.join('. ')}`;
}

/** The window, or less of it while the SBC has not run so long. */
function rangeOf(points, windowSeconds) {
  const end = (points.at(-1)?.atMs ?? Date.now()) / 1000;
  const first = (points[0]?.atMs ?? Date.now()) / 1000;
  return [Math.max(end - windowSeconds, Math.min(first, end - LEAST_SECONDS)), end];
}

function optionsOf({ lines, isCount, range, width }) {
  return {
    width,
    height: HEIGHT_PX,
    padding: [8, 16, 0, 0],
    legend: { show: false },
    cursor: {
      drag: { x: false, y: false },
      points: { size: 6 },
      sync: { key: SYNC_KEY },
      y: false,
    },
    scales: {
      x: { time: true, range: () => range.current },
      // Always from zero, and never so flat that a single event looks like a mountain.
      y: { range: (_plot, _least, most) => [0, Math.max(isCount ? 4 : 1, (most ?? 0) * 1.1)] },
    },
    axes: [
      { ...axis(), size: 28, incrs: TIME_STEPS, space: 70, values: clockValues },
      { ...axis(), size: 46, space: 32, ...(isCount ? { incrs: COUNT_STEPS } : {}) },
    ],
    series: [
      {},
      ...lines.map(({ label, tone }) => ({
        label,
        width: 1.5,
        stroke: () => colour(tone === 'bad' ? '--bad' : '--accent'),
        // One point alone makes no line.
        points: { show: (plot) => plot.data[0].length < 2 },
        // The second line of a chart is told apart without colour too.
        ...(tone === 'bad' ? { dash: [6, 3] } : { fill: () => colour('--tint') }),
      })),
    ],
  };
}

function axis() {
  return {
    font: FONT,
    stroke: () => colour('--quiet'),
    grid: { stroke: () => colour('--line'), width: 1 },
    ticks: { show: false },
  };
}

function clockValues(_plot, splits) {
  const clock = splits.some((seconds) => seconds % 60 !== 0) ? EXACT_CLOCK : CLOCK;
  return splits.map((seconds) => clock.format(new Date(seconds * 1000)));
}

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** Keeps the width of the box, also after a turn of the screen, and the colours of the scheme. */
function follow(plot, box) {
  const observer = new ResizeObserver(() => {
    if (box.clientWidth > 0 && box.clientWidth !== plot.width) {
      plot.setSize({ width: box.clientWidth, height: HEIGHT_PX });
    }
  });
  observer.observe(box);
  const scheme = window.matchMedia('(prefers-color-scheme: dark)');
  const redraw = () => plot.redraw();
  scheme.addEventListener('change', redraw);
  return () => {
    observer.disconnect();
    scheme.removeEventListener('change', redraw);
  };
}
