/** One call: what it is, its ladder, its digits, and why they cross as they do. Also for calls that ended. */
import { useEffect } from 'preact/hooks';
import { hrefOf } from './address.js';
import { CallDigits } from './call-digits.js';
import { CallExplanation } from './call-explanation.js';
import { CallHead, CallLegs } from './call-head.js';
import { isUp, stateOf } from './call-words.js';
import { Badge, Empty, PageTitle, Problem } from './components.js';
import { EndButton } from './end-call.js';
import { html } from './html.js';
import { Ladder } from './ladder.js';
import { useLive } from './live.js';
import { useResource } from './resource.js';

/** Media counters come with no event. */
const POLL_MS = 2_000;

const VIEWS = [
  { name: 'ladder', title: 'Ladder', View: Ladder },
  { name: 'digits', title: 'Digits', View: CallDigits },
  { name: 'explanation', title: 'Explanation', View: CallExplanation },
  { name: 'legs', title: 'Legs and media', View: CallLegs },
];

export function CallPage({ id, params }) {
  const { data: call, problem, status, reads } = useCall(id);
  if (call === undefined) return html`<${NoCall} ...${{ id, problem, status }} />`;
  const view = VIEWS.find(({ name }) => name === params.get('view')) ?? VIEWS[0];
  const { words, tone } = stateOf(call);
  return html`
    <${PageTitle} title=${`${call.from || '?'} → ${call.to || '?'}`}>
      <${Badge} tone=${tone}>${words}<//>
      ${isUp(call) ? html`<${EndButton} call=${call} />` : null}
    <//>
    ${problem === undefined ? null : html`<${Problem}>${problem}<//>`}
    <${CallHead} call=${call} />
    <nav class="tabs" aria-label="Parts of the call">
      ${VIEWS.map(
        ({ name, title }) =>
          html`<a
            key=${name}
            href=${hrefOf('calls', id, name === 'ladder' ? {} : { view: name })}
            aria-current=${name === view.name ? 'page' : undefined}
          >
            ${title}${name === 'digits' ? html` <span class="count">${call.digits.presses}</span>` : null}
          </a>`,
      )}
    </nav>
    <${view.View} call=${call} reads=${reads} />
  `;
}

/** The call, kept true; what belongs to it is read again whenever it was. */
function useCall(id) {
  const resource = useResource(`/calls/${encodeURIComponent(id)}`);
  const { reload, data } = resource;
  // One that is over is read until its end is known.
  const isOpen = data !== undefined && data.endedAt === undefined;
  useLive(['calls'], (name, event) => {
    if (name === 'refresh') void reload();
    if (name !== 'calls') return;
    const isMeant = event.ended.includes(id) || event.changed.some((call) => call.id === id);
    if (isMeant || event.isPartial) void reload();
  });
  useEffect(() => {
    if (!isOpen) return undefined;
    const timer = setInterval(() => {
      if (!document.hidden) void reload();
    }, POLL_MS);
    return () => clearInterval(timer);
  }, [isOpen, reload]);
  return resource;
}

function NoCall({ id, problem, status }) {
  const isMissing = status === 404;
  return html`
    <${PageTitle} title="Call" />
    ${problem === undefined || isMissing ? null : html`<${Problem}>${problem}<//>`}
    ${
      isMissing
        ? html`<${Empty}>
            There is no call ${id}, or it ended so long ago that it is no longer kept.${' '}
            <a href=${hrefOf('calls')}>All calls</a>
          <//>`
        : null
    }
  `;
}
