/** The last hour at most, as charts that go on while they are looked at, or as a table. */
import { useMemo, useState } from 'preact/hooks';
import { Chart } from './chart.js';
import { appended, grouped, jitterMs, lossPercent } from './chart-data.js';
import { Choice, Empty, PageTitle, Problem, Time } from './components.js';
import { html } from './html.js';
import { useLive } from './live.js';
import { useResource } from './resource.js';
import { Table } from './table.js';
import { millisecondWords, numberWords } from './words.js';

const WINDOWS = [
  ['900', '15 min'],
  ['3600', '1 h'],
];
const FORMS = [
  ['charts', 'Charts'],
  ['table', 'Table'],
];
/** A chart has no room for more points. */
const MAX_POINTS = 450;
const MS_PER_SECOND = 1_000;
const MS_PER_MINUTE = 60_000;

function percentWords(value) {
  if (value === undefined) return '–';
  return `${value.toFixed(value > 0 && value < 10 ? 2 : 0)} %`;
}

const count = (label, name, tone = 'good') => ({
  label,
  tone,
  words: numberWords,
  valueOf: (point) => point[name],
});

/** `isEach`: the values are counts of one step. */
const CHARTS = [
  { title: 'Calls up', lines: [count('calls', 'activeCalls')], isCount: true },
  {
    title: 'Calls started and failed',
    lines: [count('started', 'startedCalls'), count('failed', 'failedCalls', 'bad')],
    isCount: true,
    isEach: true,
  },
  {
    title: 'Digits',
    lines: [count('delivered', 'deliveredDigits'), count('dropped', 'droppedDigits', 'bad')],
    isCount: true,
    isEach: true,
  },
  {
    title: 'RTP loss in %',
    lines: [{ label: 'lost', tone: 'bad', words: percentWords, valueOf: lossPercent }],
  },
  {
    title: 'Jitter in ms',
    lines: [{ label: 'mean', tone: 'good', words: millisecondWords, valueOf: jitterMs }],
  },
  {
    title: 'Event loop lag in ms',
    lines: [
      {
        label: 'worst',
        tone: 'good',
        words: millisecondWords,
        valueOf: (point) => point.loopLagMs,
      },
    ],
  },
];

export function ChartsPage() {
  const [windowText, setWindow] = useState('900');
  const [form, setForm] = useState('charts');
  const windowSeconds = Number(windowText);
  const { data, problem } = useSeries(windowSeconds);
  return html`
    <${PageTitle} title="Charts">
      <${Choice} label="Time shown" options=${WINDOWS} value=${windowText} onChange=${setWindow} />
      <${Choice} label="Shown as" options=${FORMS} value=${form} onChange=${setForm} />
    <//>
    ${problem === undefined ? null : html`<${Problem}>${problem}<//>`}
    ${data === undefined ? null : html`<${Shown} ...${{ series: data, form, windowSeconds }} />`}
  `;
}

function useSeries(windowSeconds) {
  const series = useResource(`/series?window=${windowSeconds}`);
  useLive(['series'], (name, point) => {
    if (name === 'refresh') void series.reload();
    if (name !== 'point') return;
    series.change((known) => ({
      ...known,
      points: appended(known.points, [point], windowSeconds),
    }));
  });
  return series;
}

function Shown({ series, form, windowSeconds }) {
  const { points, intervalMs } = series;
  const stepMs = stepOf(intervalMs, windowSeconds);
  const steps = useMemo(
    () => (stepMs === intervalMs ? points : grouped(points, stepMs)),
    [points, stepMs, intervalMs],
  );
  if (points.length === 0) {
    const seconds = Math.ceil(intervalMs / MS_PER_SECOND);
    return html`<${Empty}>Nothing to show yet: a point comes each ${seconds} s.<//>`;
  }
  if (form === 'table') return html`<${Minutes} points=${points} />`;
  return html`<div class="charts">
    ${CHARTS.map(({ title, lines, isCount, isEach }) => {
      const each = isEach ? ` each ${stepMs / MS_PER_SECOND} s` : '';
      return html`<${Chart}
        key=${title}
        title=${`${title}${each}`}
        ...${{ lines, isCount, points: steps, intervalMs: stepMs, windowSeconds }}
      />`;
    })}
  </div>`;
}

/** A whole number of intervals, so that no more points are drawn than can be seen. */
function stepOf(intervalMs, windowSeconds) {
  const all = (windowSeconds * MS_PER_SECOND) / intervalMs;
  return intervalMs * Math.ceil(all / MAX_POINTS);
}

function Minutes({ points }) {
  const rows = useMemo(() => grouped(points, MS_PER_MINUTE).toReversed(), [points]);
  return html`<${Table}
    label="Values of each minute"
    columns=${COLUMNS}
    rows=${rows}
    keyOf=${({ atMs }) => atMs}
    empty=""
  />`;
}

const COLUMNS = [
  {
    title: 'Minute up to',
    cell: ({ atMs }) => html`<${Time} at=${atMs} />`,
    kind: 'nowrap',
  },
  { title: 'Calls, at most', cell: (row) => numberWords(row.activeCalls), isNumeric: true },
  { title: 'Started', cell: (row) => numberWords(row.startedCalls), isNumeric: true },
  { title: 'Failed', cell: (row) => numberWords(row.failedCalls), isNumeric: true },
  { title: 'Digits delivered', cell: (row) => numberWords(row.deliveredDigits), isNumeric: true },
  { title: 'Digits dropped', cell: (row) => numberWords(row.droppedDigits), isNumeric: true },
  { title: 'RTP loss', cell: (row) => percentWords(lossPercent(row)), isNumeric: true },
  { title: 'Jitter', cell: (row) => millisecondWords(jitterMs(row)), isNumeric: true },
  { title: 'Worst lag', cell: (row) => millisecondWords(row.loopLagMs), isNumeric: true },
];
