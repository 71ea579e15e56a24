/** What a call is at a glance, and its legs with their media in full. */
import { hrefOf } from './address.js';
import { endWords, interworkingWords, translatorWords } from './call-words.js';
import { Facts, Time, useNow } from './components.js';
import { html } from './html.js';
import { countWords, durationWords, millisecondWords, numberWords } from './words.js';

const SIDES = ['caller', 'callee'];
const TITLES = { caller: 'Caller', callee: 'Callee' };
const OUTWARD = { caller: 'callerToCallee', callee: 'calleeToCaller' };

export function CallHead({ call }) {
  return html`<div class="call-head">
    <section class="card pad" aria-label="Call"><${Facts} rows=${callFacts(call)} /></section>
    ${SIDES.map((side) => html`<${LegCard} key=${side} ...${{ call, side }} />`)}
  </div>`;
}

function callFacts(call) {
  const { id, startedAt, answeredAt, endedAt, end, policy, plan } = call;
  const notYet = endedAt === undefined ? 'not yet' : 'never';
  return [
    ['Started', html`<${Time} at=${startedAt} />`],
    ['Answered', answeredAt === undefined ? notYet : html`<${Time} at=${answeredAt} />`],
    ['Duration', html`<${Duration} call=${call} />`],
    [
      'Ended',
      endedAt === undefined
        ? undefined
        : html`<${Time} at=${endedAt} />${' '}${end === undefined ? '' : endWords(end)}`,
    ],
    ['Digits', digitWords(call.digits)],
    ['Interworking', plan === undefined ? notYet : interworkingWords(plan)],
    ['Policy', policy],
    ['Call id', html`<span class="mono">${id}</span>`],
  ];
}

function digitWords({ presses, delivered, dropped, pending }) {
  if (presses === 0) return 'none';
  const lost = dropped === 0 ? null : html`, <span class="bad">${dropped} dropped</span>`;
  const open = pending === 0 ? null : `, ${pending} pending`;
  return html`<span>${delivered} delivered${lost}${open}</span>`;
}

/** From the answer on, else from the start on. */
export function Duration({ call }) {
  const nowMs = useNow();
  const startMs = Date.parse(call.answeredAt ?? call.startedAt);
  const endMs = call.endedAt === undefined ? nowMs : Date.parse(call.endedAt);
  return durationWords(endMs - startMs);
}

function LegCard({ call, side }) {
  const leg = call.legs[side];
  const media = call.media?.[side];
  const rows = leg === undefined ? [] : legRows(leg);
  return html`<section class="card pad" aria-label=${TITLES[side]}>
    <h2>${TITLES[side]}</h2>
    ${leg === undefined ? html`<p class="quiet">Not called yet.</p>` : null}
    <${Facts} rows=${[...rows, ['Received', media && receivedWords(media)]]} />
  </section>`;
}

function legRows({ agent, interface: name, realm, remote, codec }) {
  return [
    ['Agent', agent === undefined ? 'none' : html`<a href=${hrefOf('agents', agent)}>${agent}</a>`],
    ['Interface', name === realm ? name : `${name}, realm ${realm}`],
    ['Address', html`<span class="mono">${remote}</span>`],
    ['Codec', codec],
  ];
}

function receivedWords({ receivedPackets, lostPackets, jitterMs }) {
  if (receivedPackets === 0) return 'nothing';
  const lost =
    lostPackets === 0 ? null : html` <span class="bad">${numberWords(lostPackets)} lost,</span>`;
  return html`<span
    >${countWords(receivedPackets, 'packet')},${lost} jitter ${millisecondWords(jitterMs)}</span
  >`;
}

export function CallLegs({ call }) {
  return html`<div class="legs">
    ${SIDES.map((side) => html`<${LegDetails} key=${side} ...${{ call, side }} />`)}
  </div>`;
}

function LegDetails({ call, side }) {
  const leg = call.legs[side];
  if (leg === undefined) return null;
  const media = call.media?.[side];
  return html`<section class="card pad" aria-label=${`Leg of the ${side}`}>
    <h2>${TITLES[side]}</h2>
    <h3>Signalling</h3>
    <${Facts} rows=${[...legRows(leg), ...dialogRows(leg)]} />
    <h3>Media</h3>
    ${
      media === undefined
        ? html`<p class="quiet">
            ${call.endedAt === undefined ? 'No media yet.' : 'The counters stand in the call record.'}
          </p>`
        : html`<${Facts} rows=${mediaRows(media)} />`
    }
    <h3>Digits from here</h3>
    <p>${translatorWords(call.plan?.[OUTWARD[side]])}</p>
  </section>`;
}

function dialogRows({ sipCallId, localTag, remoteTag, sdpSummary, sessionTimer }) {
  const timer =
    sessionTimer && `${sessionTimer.intervalSeconds} s, refreshed by ${sessionTimer.refresher}`;
  return [
    ['SDP', sdpSummary],
    ['Call-ID', html`<span class="mono">${sipCallId}</span>`],
    ['Our tag', html`<span class="mono">${localTag}</span>`],
    ['Their tag', remoteTag && html`<span class="mono">${remoteTag}</span>`],
    ['Session timer', timer],
  ];
}

function mediaRows(media) {
  const { source, isSourceLearnt, quietMs, eventPackets, injectedPackets, dropped } = media;
  const drops = Object.entries(dropped).map(([reason, count]) => `${reason} ${numberWords(count)}`);
  const from =
    source && html`<span class="mono">${source}</span>${isSourceLearnt ? ' (learnt)' : ''}`;
  return [
    ['Received', receivedWords(media)],
    ['Sent', countWords(media.sentPackets, 'packet')],
    ['Accepted from', from],
    ['Last packet', `${millisecondWords(quietMs)} ago`],
    ['Events received', countWords(eventPackets, 'packet')],
    ['Tones sent', countWords(injectedPackets, 'packet')],
    ['Not passed on', drops.length === 0 ? 'none' : drops.join(', ')],
  ];
}
