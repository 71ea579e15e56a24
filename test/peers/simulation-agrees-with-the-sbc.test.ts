/**
 * The same call twice: over sockets through a real SBC, and simulated with what the ends sent there. Both must show the
 * same plan, the same reasons, the same SDP and headers at the other end, and the same way for every key.
 *
 *   real end ── real SBC ── real end      the SDP, headers and keys of both ends
 *                                              │
 *   simulated end ── simulated SBC ── simulated end
 */
import { expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import type { DigitCall, Stage } from '../support/digit-call.ts';
import { messagesLike, phoneCallsTrunk, shareSbc, trunkCallsPhone } from '../support/digit-call.ts';
import { checkLeaksAfterEach } from '../support/leak-check.ts';
import type { SipPeer } from '../support/sip-peer.ts';
import { parseSipText, type SipText } from '../support/sip-text.ts';
import { waitFor } from '../support/wait-for.ts';
import { loadScenario } from '../../src/simulation/load-scenario.ts';
import type { SimulationReport } from '../../src/simulation/report.ts';
import { simulate } from '../../src/simulation/simulate.ts';

const open = shareSbc({
  core: { 'rfc2833-mode': 'preferred', 'dtmf-duration-ms': '40', 'dtmf-gap-ms': '40' },
});

checkLeaksAfterEach();

/** Written by each leg for itself, or with its own addresses, tags and times. */
const OF_THE_LEG =
  /^(via|call-id|cseq|from|to|contact|content-length|max-forwards|user-agent|allow)$/i;

/** Ports and session ids are drawn anew for each call. */
function withoutDraws(sdp: string): string {
  return sdp.replace(/^o=(\S+) \d+ /m, 'o=$1 ID ').replaceAll(/^m=(\w+) \d+ /gm, 'm=$1 PORT ');
}

function headersOf(message: SipText): string[] {
  return message.headers
    .filter(([name]) => !OF_THE_LEG.test(name))
    .map(([name, value]) => `${name.toLowerCase()}: ${value}`)
    .toSorted();
}

interface Shown {
  readonly sdp: string;
  readonly headers: readonly string[];
}

function shown(message: SipText | undefined): Shown {
  if (message === undefined) throw new Error('there is no such message');
  return { sdp: withoutDraws(message.body), headers: headersOf(message) };
}

/** What the caller and the callee were sent by the real SBC. */
function realMessages(caller: SipPeer, callee: SipPeer): { toCallee: Shown; toCaller: Shown } {
  return {
    toCallee: shown(messagesLike(callee, '< INVITE')[0]),
    toCaller: shown(messagesLike(caller, '< 200 INVITE')[0]),
  };
}

function simulatedMessages({ received }: SimulationReport): { toCallee: Shown; toCaller: Shown } {
  const first = (side: 'caller' | 'callee', what: string): Shown => {
    const text = received[side].find((message) => message.what === what)?.text;
    return shown(text === undefined ? undefined : parseSipText(text));
  };
  return { toCallee: first('callee', 'INVITE'), toCaller: first('caller', '200 INVITE') };
}

/** `caller 5 -> rtp`, in order. */
function simulatedKeys({ keys }: SimulationReport): string[] {
  return keys.map(({ by, digit, outputs, lost }) => `${by} ${digit} -> ${lost ?? outputs.join()}`);
}

/** The same of the real ledger, whose lines begin with the direction. */
function realKeys(call: DigitCall): string[] {
  return call.ledger.map((line) => {
    const [direction = '', digit = '', , , ...outputs] = line.split(' ');
    return `${direction.split('-')[0]} ${digit} -> ${outputs.join(' ')}`;
  });
}

interface Ends {
  readonly caller: SipPeer;
  readonly callee: SipPeer;
  /** From the SBC's point of view, as the scenario has it. */
  readonly script: readonly string[];
}

/** A scenario of the ends as they are: what they sent is what the simulated ones send. */
function scenarioOf({ caller, callee, script }: Ends): string {
  const invite = messagesLike(caller, '> INVITE')[0];
  const answer = messagesLike(callee, '> 200 INVITE')[0];
  if (invite === undefined || answer === undefined) throw new Error('the call has no messages');
  const [callerLines = '', calleeLines = '', ...events] = script;
  const isHere = invite.startLine.split(' ')[1] ?? '';
  return [
    'name: as it was',
    'caller:',
    `  address: ${caller.address}:${caller.port}`,
    `  to: ${JSON.stringify(isHere)}`,
    `  offer: ${JSON.stringify(invite.body)}`,
    `  headers: ${headerMap(invite)}`,
    callerLines,
    'callee:',
    `  answer: ${JSON.stringify(answer.body)}`,
    `  headers: ${headerMap(answer)}`,
    calleeLines,
    'events:',
    ...events,
  ].join('\n');
}

/** Allow-Events is the script's. */
function headerMap(message: SipText): string {
  const own = message.headers.filter(
    ([name]) => !OF_THE_LEG.test(name) && !/^(content-type|allow-events)$/i.test(name),
  );
  return JSON.stringify(Object.fromEntries(own));
}

async function simulated(stage: Stage, text: string): Promise<SimulationReport> {
  const config = loadConfig({ text: stage.running.yaml, file: 'loopback.yaml', env: {} });
  const scenario = loadScenario(text, () => '');
  if (config.type === 'invalid' || scenario.type === 'invalid') {
    throw new Error(JSON.stringify([config, scenario]));
  }
  const jobs = [{ config: config.config, scenario: scenario.scenario }];
  const [answer] = await simulate(jobs);
  if (answer?.type !== 'report') throw new Error(JSON.stringify(answer));
  return answer.report;
}

function planOf({ running }: Stage) {
  const [call] = running.sbc.calls.list();
  const decisions = (call?.session?.negotiation.decisions ?? []).flatMap((record) =>
    record.type === 'plan'
      ? []
      : [{ type: record.type, from: record.from, ...reasonOf(record.decision) }],
  );
  return { plan: call?.session?.dtmf.plan, decisions };
}

function reasonOf({ row, rule, reason }: { row: string; rule: string; reason: string }) {
  return { row, rule, reason };
}

const KPML_END = '  dtmf: kpml\n  allow-events: kpml\n  subscribes: always';
const RTP_END = '  dtmf: rtp';

test('a KPML phone that calls a 2833 trunk', async () => {
  const stage = await open();
  const call = await phoneCallsTrunk(stage);
  const real = planOf(stage);
  await call.phone.press('5');
  await call.trunk.waitForDigits(1);
  await call.phone.listen();
  await call.trunk.press('7');
  await call.phone.listener.waitForDigits(1);
  await call.finish();
  const caller = stage.phone.sip;
  const callee = stage.trunk.sip;
  const keys = ['  - { at: 3s, by: caller, press: "5" }', '  - { at: 4s, by: callee, press: "7" }'];

  const report = await simulated(
    stage,
    scenarioOf({ caller, callee, script: [KPML_END, RTP_END, ...keys] }),
  );

  expect(report.notes).toEqual([]);
  expect({ plan: report.plan, decisions: report.decisions }).toEqual(real);
  expect(simulatedMessages(report)).toEqual(realMessages(caller, callee));
  expect(simulatedKeys(report)).toEqual(realKeys(call));
});

test('a 2833 trunk that calls a KPML phone', async () => {
  const stage = await open();
  const call = await trunkCallsPhone(stage);
  const real = planOf(stage);
  await call.phone.listen();
  await call.trunk.press('7');
  await call.phone.listener.waitForDigits(1);
  await call.phone.press('5');
  await call.trunk.waitForDigits(1);
  await call.finish();
  await waitFor('the record', () => stage.running.sbc.calls.size === 0);
  const caller = stage.trunk.sip;
  const callee = stage.phone.sip;
  const keys = ['  - { at: 3s, by: caller, press: "7" }', '  - { at: 4s, by: callee, press: "5" }'];

  const report = await simulated(
    stage,
    scenarioOf({ caller, callee, script: [RTP_END, KPML_END, ...keys] }),
  );

  expect(report.notes).toEqual([]);
  expect({ plan: report.plan, decisions: report.decisions }).toEqual(real);
  expect(simulatedMessages(report)).toEqual(realMessages(caller, callee));
  expect(simulatedKeys(report)).toEqual(realKeys(call));
});
