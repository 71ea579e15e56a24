/** How a simulated call reads in a terminal. */
import { formatLadder } from '../observe/ladder-format.ts';
import type { KeyRow } from '../simulation/key-rows.ts';
import type { LegReport, SeenMessage, SimulationReport } from '../simulation/report.ts';
import { SIDES, type Side } from '../wire/side.ts';
import { formatPlan } from './explain-media-text.ts';
import { formatLeg } from './explain-text.ts';
import { formatTable } from './table.ts';

/** Of the leg alone where the SBC began by itself. */
const OF_EVERY_MESSAGE = new Set(['from', 'to', 'contact', 'content-type', 'user-agent', 'allow']);

/** Fields of log lines. */
const SAID_ELSEWHERE = new Set([
  'level',
  'time',
  'callId',
  'legA',
  'legB',
  'agent',
  'realm',
  'calleeAgent',
  'calleeRealm',
]);
/** Seen in the first INVITE; from then on they say nothing new. */
const OF_EACH_LEG = new Set(['from', 'to', 'contact', 'allow']);
/** Of a body in one line. */
const MAX_CONTENT = 240;

/** Everything, with `isWhole` the parameters too that have their default; ends with a line feed. */
export function formatReport(report: SimulationReport, isWhole = false): string {
  const { name, legs, notes, warnings, ladder } = report;
  return [
    `${name}\n${'='.repeat(name.length)}\n`,
    section('Call', callLines(report)),
    ...SIDES.flatMap((side) => legText(side, legs[side], isWhole)),
    section('Decisions', decisionText(report)),
    ...SIDES.map((side) =>
      section(`What the ${side} receives`, messagesText(report.received[side])),
    ),
    section('Keys', keysText(report.keys)),
    section('Notes', listText(notes)),
    section('Log', listText(warnings.map((line) => logText(line)))),
    section('Ladder', formatLadder(ladder)),
    `\n${verdictText(report)}`,
  ].join('');
}

/** One line, and one for each expectation that was not met. */
export function formatBrief(file: string, report: SimulationReport): string {
  const { failures, name } = report;
  const word = failures.length === 0 ? 'ok' : 'FAILED';
  return `${word.padEnd(6)}  ${file}: ${name}\n${listText(failures)}`;
}

function section(title: string, text: string): string {
  return text === '' ? '' : `\n${title}\n${text}`;
}

function callLines({ answer, record, legs, packets }: SimulationReport): string {
  const { policy, forwarding, release, ingress, attempts = [] } = record ?? {};
  const rows: [string, string][] = [
    ...SIDES.flatMap((side): [string, string][] => {
      const leg = legs[side];
      return leg === undefined ? [] : [[side, describeLeg(leg)]];
    }),
    ...(legs.caller === undefined && ingress !== undefined
      ? [pair('caller', describeLeg({ ...ingress, sipInterface: ingress.interface }))]
      : []),
    ...(policy === undefined ? [] : [pair('policy', policy.rule)]),
    ...(policy?.skipped ?? []).map(({ agent, reason }) => pair('skipped', `${agent}: ${reason}`)),
    ...(forwarding?.steps ?? []).map(({ feature, from, to = 'refused' }) =>
      pair('feature', `${feature}: ${from} -> ${to}`),
    ),
    ...attempts.map(({ agent, nextHop, code, reason }) =>
      pair('tried', `${agent ?? 'no session agent'} at ${nextHop}: ${code} ${reason}`),
    ),
    pair('answer', answer === undefined ? 'none' : `${answer.status} ${answer.reason}`),
    ...(release === undefined
      ? []
      : [pair('end', `by the ${release.side}: ${release.text} (${release.internalCode})`)]),
    ...SIDES.map((side) =>
      pair('RTP', `${side} sent ${packets[side].sent}, received ${packets[side].received} packets`),
    ),
  ];
  return rows.map(([name, text]) => `  ${name.padEnd(8)}  ${text}\n`).join('');
}

function pair(name: string, text: string): [string, string] {
  return [name, text];
}

function describeLeg(
  leg: Pick<LegReport, 'sipInterface' | 'realm' | 'remote'> & {
    readonly agent?: string | undefined;
  },
): string {
  const { sipInterface, realm, agent, remote } = leg;
  const who = agent === undefined ? 'no session agent' : `session agent ${agent}`;
  return `${remote}, ${who}, sip-interface ${sipInterface} (realm ${realm})`;
}

function legText(side: Side, leg: LegReport | undefined, isWhole: boolean): string[] {
  if (leg === undefined) return [];
  return [`\n${formatLeg(`Parameters of the ${side}'s leg`, leg.settings, isWhole)}`];
}

function decisionText({ decisions, plan }: SimulationReport): string {
  const lines = decisions.map(
    ({ type, from, row, rule, reason }) =>
      `  ${type} of the ${from}: row ${row}, rule ${rule}: ${reason}\n`,
  );
  return lines.join('') + (plan === undefined ? '' : indented(formatPlan(plan)));
}

function messagesText(messages: readonly SeenMessage[]): string {
  return messages.map((message) => messageText(message)).join('');
}

function messageText({ atMs, startLine, cause, headers, sdp, text }: SeenMessage): string {
  const isFirst = text.startsWith('INVITE ') && !/^To:.*;tag=/im.test(text);
  const origin = cause === undefined ? 'by the SBC itself' : `of the ${cause.from}'s`;
  const lines = [`${stamp(atMs)}  ${startLine}   ${origin}`];
  if (cause === undefined) {
    const own = headers.filter(({ name }) => !OF_EVERY_MESSAGE.has(name.toLowerCase()));
    lines.push(...own.map(({ name, after = '' }) => `              ${name}: ${after}`));
  } else {
    const crossed = headers.filter(({ change }) => change === 'crossed').map(({ name }) => name);
    if (crossed.length > 0) lines.push(`    crossed   ${crossed.join(', ')}`);
    for (const { name, change, before = '', after = '' } of headers) {
      if (change === 'crossed' || (!isFirst && OF_EACH_LEG.has(name.toLowerCase()))) continue;
      const value = change === 'vanished' ? before : after;
      lines.push(`    ${change.padEnd(8)}  ${name}: ${value}`);
      if (change === 'changed') lines.push(`         was  ${name}: ${before}`);
    }
  }
  const content = sdp.length === 0 ? contentOf(text) : '';
  if (content !== '') lines.push(`              ${content}`);
  lines.push(...sdp.map(({ mark, line }) => `      ${mark} ${line}`));
  return lines.map((line) => `${line.trimEnd()}\n`).join('');
}

/** A body that is no SDP, in one line. */
function contentOf(text: string): string {
  const body = text.slice(text.indexOf('\r\n\r\n')).trim().replaceAll(/\s+/g, ' ');
  return body.length > MAX_CONTENT ? `${body.slice(0, MAX_CONTENT)}...` : body;
}

function keysText(keys: readonly KeyRow[]): string {
  const rows = keys.map((key) => [
    `  ${seconds(key.atMs)}`,
    key.by,
    key.digit,
    key.how,
    key.arrivedAs ?? 'lost',
    key.latencyMs === undefined ? '' : `${key.latencyMs} ms`,
    key.outputs.join(', '),
    key.lost ?? '',
  ]);
  return formatTable(
    ['  at', 'by', 'key', 'pressed as', 'arrived as', 'after', 'sent as', 'why not'],
    rows,
  );
}

/** A log line without what is said elsewhere. */
function logText(line: string): string {
  const { msg = '', ...fields }: Record<string, unknown> = JSON.parse(line);
  const shown = Object.entries(fields).filter(([name]) => !SAID_ELSEWHERE.has(name));
  const values = shown.map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return [String(msg), ...values].join('  ');
}

function verdictText({ failures, expected }: SimulationReport): string {
  if (expected === 0) return 'Nothing was expected.\n';
  const met = expected - failures.length;
  return `${met} of ${expected} expectations met.\n${listText(failures)}`;
}

function listText(lines: readonly string[]): string {
  return lines.map((line) => `  ${line}\n`).join('');
}

function indented(text: string): string {
  return text.replaceAll(/^(?=.)/gm, '  ');
}

function stamp(atMs: number): string {
  return `  +${seconds(atMs).padStart(7)}`;
}

function seconds(atMs: number): string {
  return (atMs / 1000).toFixed(3);
}
