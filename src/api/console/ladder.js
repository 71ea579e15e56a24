/**
 * The ladder of a call: three life lines, SIP messages as arrows, everything else as boxes between them. An arrow opens
 * its message beside the ladder; while that is open, it shows the arrow that has the focus.
 */
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { Empty, Filter, Problem } from './components.js';
import { download } from './download.js';
import { useFollowing } from './follow.js';
import { html } from './html.js';
import { endAt, withEnds } from './ladder-ends.js';
import { NewEnd, Rung } from './ladder-rung.js';
import { MessagePanel } from './message-panel.js';
import { countWords } from './words.js';

const KINDS = [
  ['sip', 'SIP'],
  ['media', 'Media'],
  ['dtmf', 'DTMF'],
  ['decision', 'Decisions'],
];

/** Format for the SBC, words, and how the name of the file ends. */
const EXPORTS = [
  ['text', 'Text', 'txt'],
  ['mermaid', 'Mermaid', 'mmd'],
  ['pcap', 'pcap', 'pcap'],
];

/** This near to the end of the page, somebody reads what comes. */
const END_PIXELS = 60;

export function Ladder({ call, reads }) {
  const { data, problem } = useFollowing(`/calls/${encodeURIComponent(call.id)}/ladder`, reads);
  const [hidden, setHidden] = useState([]);
  const [filter, setFilter] = useState('');
  const selection = useSelection();
  const all = useMemo(() => numbered(data), [data]);
  const rows = all.filter((row) => isShown(row, hidden, filter));
  useFollowEnd(all.length);
  // On a small screen the message covers the lower part of it.
  useLayoutEffect(
    () => arrowOf(selection.opened)?.scrollIntoView({ block: 'nearest' }),
    [selection.opened],
  );
  if (data === undefined) return problem === undefined ? null : html`<${Problem}>${problem}<//>`;
  const opened = all.find(({ seq }) => seq === selection.opened);
  const toggle = (kind) =>
    setHidden(hidden.includes(kind) ? hidden.filter((each) => each !== kind) : [...hidden, kind]);
  return html`
    <div class="tools">
      <div class="choice" role="group" aria-label="Kinds of rows">
        ${KINDS.map(
          ([kind, title]) =>
            html`<button
              type="button"
              key=${kind}
              aria-pressed=${String(!hidden.includes(kind))}
              onClick=${() => toggle(kind)}
            >
              ${title} <span class="count">${all.filter((row) => row.kind === kind).length}</span>
            </button>`,
        )}
      </div>
      <${Filter} value=${filter} onInput=${setFilter} label="Filter rows" />
      <${Exports} call=${call} />
    </div>
    <div class="ladder-place ${opened === undefined ? '' : 'with-message'}">
      <${Rungs} ...${{ call, rows, all, data, selection }} />
      ${
        opened === undefined
          ? null
          : html`<${MessagePanel}
              row=${opened}
              end=${endAt(opened, data.ends ?? [])}
              onClose=${selection.close}
            />`
      }
    </div>
  `;
}

/** Rows with numbers that stay when earlier ones are dropped. */
function numbered(data) {
  if (data === undefined) return [];
  const { droppedRows, gapAt } = data;
  return data.rows.map((row, index) => ({
    ...row,
    seq: index < gapAt ? index : droppedRows + index,
  }));
}

function isShown(row, hidden, filter) {
  if (hidden.includes(row.kind)) return false;
  const wanted = filter.trim().toLowerCase();
  return wanted === '' || `${row.summary}\n${row.text ?? ''}`.toLowerCase().includes(wanted);
}

/** `current` is the arrow that Tab leads to, `opened` the one whose message is shown. */
function useSelection() {
  const [{ current, opened }, set] = useState({});
  return useMemo(
    () => ({
      current,
      opened,
      open: (seq) => set({ current: seq, opened: seq }),
      focus: (seq) =>
        set((before) => ({ current: seq, opened: before.opened === undefined ? undefined : seq })),
      close: () => {
        set((before) => ({ current: before.current }));
        arrowOf(current)?.focus({ preventScroll: true });
      },
    }),
    [current, opened],
  );
}

function arrowOf(seq) {
  return document.querySelector(`[data-seq="${seq}"]`);
}

/** Whoever reads at the end of the page is kept there when rows come; everybody else is left alone. */
function useFollowEnd(count) {
  const isAtEnd = useRef(false);
  const before = useRef(count);
  useEffect(() => {
    const listen = () => {
      const left = document.documentElement.scrollHeight - innerHeight - scrollY;
      isAtEnd.current = scrollY > 0 && left < END_PIXELS;
    };
    window.addEventListener('scroll', listen, { passive: true });
    return () => window.removeEventListener('scroll', listen);
  }, []);
  useLayoutEffect(() => {
    if (count > before.current && isAtEnd.current) scrollTo(0, document.body.scrollHeight);
    before.current = count;
  }, [count]);
}

function Exports({ call }) {
  const path = `/calls/${encodeURIComponent(call.id)}/ladder`;
  return html`<div class="exports" role="group" aria-label="Export the ladder">
    <span class="quiet">Export</span>
    ${EXPORTS.map(
      ([format, title, end]) =>
        html`<button
          type="button"
          key=${format}
          onClick=${() =>
            void download(`${path}?format=${format}&download=1`, `call-${call.id}.${end}`)}
        >
          ${title}
        </button>`,
    )}
  </div>`;
}

function Rungs({ call, rows, all, data, selection }) {
  if (all.length === 0) return html`<${Empty}>Nothing has been recorded of this call.<//>`;
  const startMs = all[0].atMs;
  const first = rows.find(({ kind }) => kind === 'sip')?.seq;
  const isCurrentShown = rows.some(({ seq }) => seq === selection.current);
  const tabStop = isCurrentShown ? selection.current : first;
  const nameOf = (leg) => namesOf(leg, call, data.ends ?? []);
  return html`<section class="card ladder" aria-label="Ladder">
    <div class="ladder-head">
      <span></span>
      <div class="life-names">
        <span><b>caller</b> ${nameOf('caller')}</span><b>SBC</b
        ><span><b>callee</b> ${nameOf('callee')}</span>
      </div>
    </div>
    ${
      data.droppedRows + data.droppedTexts === 0
        ? null
        : html`<p class="lost-rows quiet">${lostWords(data)}</p>`
    }
    ${rows.length === 0 ? html`<p class="lost-rows quiet">No row matches.</p>` : null}
    <ol>
      ${withEnds(rows, data.ends ?? []).map((entry) =>
        entry.type === 'end'
          ? html`<${NewEnd} key=${`${entry.end.leg} ${entry.end.sinceMs}`} end=${entry.end} />`
          : html`<${Rung}
              key=${entry.row.seq}
              row=${entry.row}
              startMs=${startMs}
              isTabStop=${entry.row.seq === tabStop}
              isOpen=${entry.row.seq === selection.opened}
              onOpen=${selection.open}
              onFocus=${selection.focus}
            />`,
      )}
    </ol>
  </section>`;
}

function lostWords({ droppedRows, gapAt, droppedTexts }) {
  const rows = `${countWords(droppedRows, 'row')} behind row ${gapAt} no longer kept`;
  const texts = `${countWords(droppedTexts, 'message')} no longer kept as text`;
  return [...(droppedRows > 0 ? [rows] : []), ...(droppedTexts > 0 ? [texts] : [])].join('; ');
}

/** Who stood at the end of a leg, one after the other. */
function namesOf(leg, { legs }, ends) {
  const names = new Set(ends.filter((end) => end.leg === leg).map(({ name }) => name));
  return [...names].join(', ') || (legs[leg]?.agent ?? legs[leg]?.remote ?? '');
}
