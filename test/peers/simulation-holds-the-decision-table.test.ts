/**
 * Every row of the decision table in simulated calls: the same table that
 * `every-row-of-the-decision-table-holds-on-the-wire` plays over sockets, and every word of it must hold here too.
 */
import { beforeAll, expect, test } from 'vitest';
import type { Config } from '../../src/config/config.ts';
import { loadConfig } from '../../src/config/load.ts';
import type { KeyRow } from '../../src/simulation/key-rows.ts';
import { loadScenario } from '../../src/simulation/load-scenario.ts';
import type { SimulationReport } from '../../src/simulation/report.ts';
import { simulate } from '../../src/simulation/simulate.ts';
import type { JobAnswer, SimulationJob } from '../../src/simulation/simulation-job.ts';
import { announced, DECISION_ROWS, endOf, kpmlIn } from '../support/decision-rows.ts';
import type { DecisionRow, RowOutcome } from '../support/decision-rows.ts';
import { parseSipText, type SipText } from '../support/sip-text.ts';

type Side = 'caller' | 'callee';
const SIDES = ['caller', 'callee'] as const;

/** Behind everything that comes of the answer. */
const ASKED_MS = { caller: 2000, callee: 2500 };

let answers: readonly JobAnswer[] = [];

beforeAll(async () => {
  const config = configOf();
  answers = await simulate(DECISION_ROWS.map((row, index) => jobOf(config, row, index)));
});

/** An agent of its own for each end of each row. */
function configOf(): Config {
  const agents = DECISION_ROWS.flatMap(({ caller, callee }, index) => [
    agentLine(`caller-${index}`, 'access', `192.0.2.${index + 20}`, caller),
    agentLine(`callee-${index}`, 'core', `203.0.113.${index + 20}`, callee),
  ]);
  const routes = DECISION_ROWS.map(
    (_, index) =>
      `  - { from-realm: access, to: "${calledNumber(index)}", next-hop: callee-${index} }`,
  );
  const text = [
    'realms:',
    '  - { name: access, media: { address: 192.0.2.10, port-min: 20000, port-max: 20999 } }',
    '  - { name: core, media: { address: 203.0.113.10, port-min: 20000, port-max: 20999 } }',
    'sip-interfaces:',
    '  - { name: access, realm: access, sip-ports: [ "udp/192.0.2.10:5060" ] }',
    '  - { name: core, realm: core, sip-ports: [ "udp/203.0.113.10:5060" ] }',
    'session-agents:',
    ...agents,
    'local-policies:',
    ...routes,
  ].join('\n');
  const loaded = loadConfig({ text, file: 'rows.yaml', env: {} });
  if (loaded.type === 'invalid') throw new Error(JSON.stringify(loaded.problems));
  return loaded.config;
}

function agentLine(name: string, realm: string, address: string, end: string): string {
  const leg = Object.entries(endOf(end).leg).map(([key, value]) => `${key}: ${value}`);
  return `  - { name: ${name}, realm: ${realm}, address: "${address}:5060", ${leg.join(', ')} }`;
}

function calledNumber(index: number): string {
  return String(1000 + index);
}

function jobOf(config: Config, row: DecisionRow, index: number): SimulationJob {
  const { isDelayed = false, headers = [] } = row;
  const own = Object.fromEntries(headers);
  const text = [
    `name: ${JSON.stringify(row.row)}`,
    'caller:',
    `  from-agent: caller-${index}`,
    `  to: "${calledNumber(index)}"`,
    `  headers: ${JSON.stringify(own)}`,
    `  offer: ${isDelayed ? 'none' : sdpOf(row.caller)}`,
    ...(isDelayed ? [`  answer: ${sdpOf(row.caller)}`] : []),
    ...endLines(row.caller),
    'callee:',
    `  answer: ${sdpOf(row.callee)}`,
    ...endLines(row.callee),
    'events:',
    `  - { at: ${ASKED_MS.caller}ms, by: caller, do: subscribe }`,
    `  - { at: ${ASKED_MS.callee}ms, by: callee, do: subscribe }`,
    '  - { at: 4s, by: caller, press: "1" }',
    '  - { at: 4s, by: callee, press: "2" }',
  ].join('\n');
  const loaded = loadScenario(text, () => '');
  if (loaded.type === 'invalid') throw new Error(JSON.stringify(loaded.problems));
  return { config, scenario: loaded.scenario };
}

function sdpOf(end: string): string {
  return endOf(end).hasEvents ? 'g711+2833' : 'g711';
}

function endLines(end: string): string[] {
  const allowEvents = endOf(end).hasKpml ? 'kpml' : '';
  return ['  dtmf: auto', '  subscribes: never', `  allow-events: "${allowEvents}"`];
}

function outcomeOf(row: string, report: SimulationReport): RowOutcome {
  const { plan, keys } = report;
  const ways = [plan?.callerToCallee, plan?.calleeToCaller];
  return {
    row,
    toCallee: announced(received(report, 'callee', 'INVITE')),
    toCaller: `${kpmlIn(received(report, 'caller', '180 INVITE'))}, ${announced(received(report, 'caller', '200 INVITE'))}`,
    subscribed: SIDES.filter((side) => isAskedBySbc(report, side)).join(', '),
    asked: SIDES.map((side) => answerTo(report, side)).join(', '),
    plan: ways.map((way) => `${way?.translator} ${way?.row}`).join(', '),
    keys: keys.flatMap(ledgerLine).toSorted().join(', '),
    heard: SIDES.map((side) => heardBy(side, keys))
      .filter((text) => text !== '')
      .join(', '),
  };
}

function received({ received: all }: SimulationReport, at: Side, what: string): SipText {
  const text = all[at].find((message) => message.what === what)?.text;
  if (text === undefined) throw new Error(`no ${what} at the ${at}`);
  return parseSipText(text);
}

function isAskedBySbc(report: SimulationReport, side: Side): boolean {
  return report.received[side].some(
    ({ what, cause }) => what === 'SUBSCRIBE' && cause === undefined,
  );
}

/** What the SUBSCRIBE of `side` got, and from whom. */
function answerTo(report: SimulationReport, side: Side): string {
  const answer = report.received[side].find(
    ({ what, atMs }) => what.endsWith(' SUBSCRIBE') && atMs >= ASKED_MS[side],
  );
  const status = answer?.what.split(' ')[0] ?? 'none';
  if (status !== '200') return status;
  return answer?.cause === undefined ? '200 of the SBC' : '200 of the other end';
}

/** `1 notify -> rtp`, as the ledger has it; nothing for a key that never left its end. */
function ledgerLine({ digit, how, outputs, lost }: KeyRow): string[] {
  const source = how === 'kpml' ? 'notify' : how;
  const fate = [...outputs, ...(lost === undefined ? [] : [`!${lost}`])];
  const isOfLedger = outputs.length > 0 || (lost !== undefined && !/ /.test(lost));
  return isOfLedger ? [`${digit} ${source} -> ${fate.join(', ')}`] : [];
}

function heardBy(side: Side, keys: readonly KeyRow[]): string {
  const from = (how: string): string =>
    keys
      .filter((key) => key.by !== side && key.arrivedAs === how)
      .map(({ digit }) => digit)
      .join('');
  const ways = [
    ...(from('rtp') === '' ? [] : [`rtp ${from('rtp')}`]),
    ...(from('kpml') === '' ? [] : [`notify ${from('kpml')}`]),
  ];
  return ways.length === 0 ? '' : `${side} ${ways.join(' ')}`;
}

test.each(DECISION_ROWS.map((row, index) => ({ row, index, name: row.row })))(
  'row $name',
  ({ row, index }) => {
    const { row: name, toCallee, toCaller, subscribed, asked, plan, keys, heard } = row;
    const answer = answers[index];
    if (answer?.type !== 'report') throw new Error(JSON.stringify(answer));
    expect(outcomeOf(name, answer.report)).toEqual({
      row: name,
      toCallee,
      toCaller,
      subscribed,
      asked,
      plan,
      keys,
      heard,
    });
  },
);
