/** The process: what runs, with which configuration, and what an operator may do with it. */
import { useState } from 'preact/hooks';
import { Badge, Facts, PageTitle, Problem, Time } from './components.js';
import { html } from './html.js';
import { useLive } from './live.js';
import { usePolled } from './polled.js';
import { Answer, Operations } from './operations.js';
import { Table } from './table.js';
import { countWords, numberWords } from './words.js';

const POLL_MS = 3_000;

export function StatusPage() {
  const status = usePolled('/status', POLL_MS);
  const [answer, setAnswer] = useState(undefined);
  useLive(['agents'], (name) => {
    if (name === 'refresh') void status.reload();
  });
  const { data, problem, reload } = status;
  return html`
    <${PageTitle} title="Status">
      <${Operations}
        status=${data}
        onAnswer=${(given) => {
          setAnswer(given);
          void reload();
        }}
      />
    <//>
    ${problem === undefined ? null : html`<${Problem}>${problem}<//>`}
    <${Answer} answer=${answer} onClose=${() => setAnswer(undefined)} />
    ${data === undefined ? null : html`<${Shown} status=${data} />`}
  `;
}

function Shown({ status }) {
  const { version, uptimeSeconds, config, activeCalls, engine, media, interfaces } = status;
  const facts = [
    ['Takes calls', html`<${Readiness} status=${status} />`],
    ['Calls', countWords(activeCalls, 'call')],
    ['Version', version],
    ['Up for', uptimeWords(uptimeSeconds)],
    ['SIP engine', html`<${Engine} engine=${engine} />`],
    ['Media', html`<${Media} media=${media} />`],
  ];
  const configFacts = [
    ['File', html`<span class="mono">${config.file ?? 'none: started without a file'}</span>`],
    ['Hash', html`<span class="mono">${config.hash}</span>`],
    ['Loaded', html`<${Time} at=${config.loadedAt} />`],
  ];
  return html`
    <div class="columns">
      <section class="card pad" aria-label="Process">
        <h2>Process</h2>
        <${Facts} rows=${facts} />
      </section>
      <section class="card pad" aria-label="Configuration">
        <h2>Configuration in force</h2>
        <${Facts} rows=${configFacts} />
      </section>
    </div>
    <h2 class="gap">Interfaces</h2>
    <${Table}
      label="Interfaces"
      columns=${INTERFACE_COLUMNS}
      rows=${interfaces}
      keyOf=${({ name }) => name}
      empty="No interface is configured."
    />
    <h2 class="gap">Media ports</h2>
    <${Table}
      label="Media ports"
      columns=${PORT_COLUMNS}
      rows=${media.ports}
      keyOf=${({ pool }) => pool}
      empty="The media engine manages its ports itself."
    />
  `;
}

function Readiness({ status }) {
  const { isReady, isDraining, reasons } = status;
  const tone = isReady ? 'good' : isDraining ? 'warn' : 'bad';
  const word = isReady ? 'ready' : isDraining ? 'draining' : 'not ready';
  return html`<span>
    <${Badge} tone=${tone}>${word}<//>
    ${reasons.length === 0 ? null : html` <span class="quiet">${reasons.join('; ')}</span>`}
  </span>`;
}

function Engine({ engine }) {
  const { type, isUp } = engine;
  return html`<span>${type} <${Up} isUp=${isUp} /></span>`;
}

function Up({ isUp, isResting = false }) {
  if (isResting) return html`<${Badge} tone="warn">refuses calls<//>`;
  return html`<${Badge} tone=${isUp ? 'good' : 'bad'}>${isUp ? 'up' : 'down'}<//>`;
}

/** `relay, ffi+kernel`, and what was asked for; each rtpengine with its state. */
function Media({ media }) {
  const { engine, io, ioInUse, nodes = [] } = media;
  if (ioInUse !== undefined) {
    return html`<span>${engine}, ${ioInUse} <span class="quiet">configured: io ${io}</span></span>`;
  }
  return html`<span
    >${engine}
    <ul class="plain-list mono">
      ${nodes.map(({ name, isUp, isResting, calls }) => html`<li key=${name}>${name} <${Up} isUp=${isUp} isResting=${isResting} /> ${countWords(calls, 'call')}</li>`)}
    </ul>
  </span>`;
}

/** `3 d 4 h`, `4 h 12 min`, `12 min 5 s`. */
function uptimeWords(seconds) {
  const days = Math.floor(seconds / 86_400);
  const hours = Math.floor((seconds % 86_400) / 3_600);
  const minutes = Math.floor((seconds % 3_600) / 60);
  if (days > 0) return `${days} d ${hours} h`;
  if (hours > 0) return `${hours} h ${minutes} min`;
  return minutes > 0 ? `${minutes} min ${seconds % 60} s` : `${seconds} s`;
}

const INTERFACE_COLUMNS = [
  { title: 'Interface', cell: ({ name }) => name, kind: 'main' },
  { title: 'Realm', cell: ({ realm }) => realm },
  {
    title: 'Listens on',
    cell: ({ sipPorts }) =>
      html`<ul class="plain-list mono">
        ${sipPorts.map((port) => html`<li key=${port}>${port}</li>`)}
      </ul>`,
  },
  { title: 'Legs of calls', cell: ({ calls }) => numberWords(calls), isNumeric: true },
];

function Ports({ free, total }) {
  const used = total - free;
  const share = total === 0 ? 0 : Math.round((100 * used) / total);
  return html`<span class="sessions">
    ${share} %
    <meter min="0" max="100" high="90" value=${share} aria-label="Share of ports in use"></meter>
  </span>`;
}

const PORT_COLUMNS = [
  { title: 'Realm', cell: ({ pool }) => pool, kind: 'main' },
  { title: 'Free pairs', cell: ({ free }) => numberWords(free), isNumeric: true },
  { title: 'All pairs', cell: ({ total }) => numberWords(total), isNumeric: true },
  { title: 'In use', cell: (pool) => html`<${Ports} ...${pool} />`, isNumeric: true },
];
