/** Whole calls in virtual time: what the ends of a scenario can do, and that it comes out the same each time. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { CommandResult } from '../../src/cli/output.ts';
import { simulateFiles } from '../../src/cli/simulate.ts';
import type { Config } from '../../src/config/config.ts';
import { loadScenario } from '../../src/simulation/load-scenario.ts';
import type { SimulationReport } from '../../src/simulation/report.ts';
import { simulate } from '../../src/simulation/simulate.ts';
import type { JobAnswer, SimulationJob } from '../../src/simulation/simulation-job.ts';
import { configOf } from '../unit/config/sample.ts';

const YAML = readFileSync('config/scenarios/config/sbc.yaml', 'utf8');
const config = configOf(YAML);
const SEPARATE = configOf(
  YAML.replace(
    'kpml-interworking: enabled }',
    'kpml-interworking: enabled, kpml-subscription: separate }',
  ),
);
const NAMED = configOf(YAML.replace('"203.0.113.21:5060"', 'sip.carrier.example'));

function job(lines: readonly string[], used: Config = config): SimulationJob {
  const text = ['name: a call', ...lines].join('\n');
  const loaded = loadScenario(text, (name) => readFileSync(name, 'utf8'));
  if (loaded.type === 'invalid') throw new Error(JSON.stringify(loaded.problems));
  return { config: used, scenario: loaded.scenario };
}

const FROM_2833 = 'caller: { from-agent: phone-2833, to: "15551000" }';
const FROM_KPML = 'caller: { from-agent: phone-kpml, to: "15551000", dtmf: kpml }';

const JOBS = {
  cancelled: job([
    FROM_2833,
    'callee: { answers: 200 after 10s }',
    'events: [ { at: 2s, by: caller, do: cancel } ]',
  ]),
  silent: job([FROM_2833, 'callee: { answers: silent }']),
  unreachable: job([
    'caller: { from-agent: phone-2833, to: "6" }',
    'callee: { answers: unreachable }',
  ]),
  unknown: job(['caller: { from-agent: phone-2833, to: "9" }']),
  stranger: job(['caller: { address: 192.0.2.99:5060, to: "1" }']),
  noCodec: job([
    'caller: { from-agent: phone-2833, to: "1", offer: g729 }',
    'callee: { answer: g711 }',
  ]),
  busyAccount: job([
    'caller: { from-agent: phone-2833, to: "sip:8001@pbx.example" }',
    'features: [ { account: 8001@pbx.example, feature: DoNotDisturb } ]',
  ]),
  down: job(['agents-down: [ carrier-preferred ]', 'caller: { from-agent: phone-2833, to: "6" }']),
  delayed: job([
    'caller: { from-agent: phone-kpml, to: "1", dtmf: kpml, offer: none }',
    'events:',
    '  - { at: 3s, by: caller, press: "5" }',
    '  - { at: 4s, by: caller, do: hold }',
    '  - { at: 5s, by: caller, do: resume }',
    '  - { at: 7s, by: callee, press: "9" }',
    '  - { at: 8s, by: callee, do: re-invite, sdp: none }',
    '  - { at: 9s, by: caller, press: "6" }',
  ]),
  early: job([
    'caller: { from-agent: phone-2833, to: "1", headers: { Supported: 100rel } }',
    'callee: { ringing: 183 after 100ms, early-media: true, reliable: true, answers: 200 after 5s }',
    'events: [ { at: 2s, by: caller, press: "12" } ]',
  ]),
  pattern: job([
    FROM_KPML.replace('dtmf: kpml', 'dtmf: kpml, subscribes: never'),
    'events:',
    '  - { at: 2s, by: caller, do: subscribe, pattern: "[1-3]" }',
    '  - { at: 3s, by: callee, press: "124" }',
  ]),
  separate: job([FROM_KPML, 'events: [ { at: 3s, by: caller, press: "7" } ]'], SEPARATE),
  named: job([FROM_KPML, 'events: [ { at: 3s, by: caller, press: "7" } ]'], NAMED),
  lossy: job([
    'caller: { from-agent: phone-2833, to: "4" }',
    'callee: { dtmf: kpml }',
    'events:',
    '  - { at: 2s, by: caller, rtp-loss: 100% }',
    '  - { at: 3s, by: caller, press: "1" }',
    '  - { at: 4s, by: caller, rtp-loss: 0% }',
    '  - { at: 5s, by: caller, press: "2" }',
  ]),
  again: job([FROM_KPML, 'events: [ { at: 3s, by: caller, press: "7" } ]']),
  andAgain: job([FROM_KPML, 'events: [ { at: 3s, by: caller, press: "7" } ]']),
  nobody: job(['caller: { from-agent: phone, to: "1" }']),
} as const;

let answers: ReadonlyMap<string, JobAnswer> = new Map();

beforeAll(async () => {
  const all = await simulate(Object.values(JOBS));
  answers = new Map(Object.keys(JOBS).map((name, index) => [name, all[index] ?? NONE]));
});

const NONE: JobAnswer = { type: 'broken', message: 'no answer' };

function report(name: keyof typeof JOBS): SimulationReport {
  const answer = answers.get(name) ?? NONE;
  if (answer.type !== 'report') throw new Error(answer.message);
  return answer.report;
}

function heardAt(side: 'caller' | 'callee', name: keyof typeof JOBS): string {
  const keys = report(name).keys.filter((key) => key.by !== side && key.arrivedAs !== undefined);
  return keys.map(({ digit }) => digit).join('');
}

test.each<[name: keyof typeof JOBS, status: number, cause: string]>([
  ['cancelled', 487, 'caller-cancelled'],
  ['silent', 408, 'no-answer'],
  ['unreachable', 503, 'next-hop-unreachable'],
  ['unknown', 404, 'no-route'],
  ['stranger', 403, 'not-admitted'],
  ['noCodec', 488, 'callee-refused'],
  ['busyAccount', 486, 'do-not-disturb'],
  ['down', 200, 'hang-up'],
  ['delayed', 200, 'hang-up'],
  ['early', 200, 'hang-up'],
  ['separate', 200, 'hang-up'],
  ['named', 200, 'hang-up'],
])('a call that is %s ends with %d and %s', (name, status, cause) => {
  const { answer, record, notes, failures } = report(name);
  expect(answer?.status).toBe(status);
  expect(record?.release.internalCode).toBe(cause);
  expect([...notes, ...failures]).toEqual([]);
});

describe('keys', () => {
  test('cross a call whose offer comes in the 200, behind hold and re-INVITE as well', () => {
    expect(heardAt('callee', 'delayed')).toBe('56');
    expect(heardAt('caller', 'delayed')).toBe('9');
  });

  test('cross early media that was confirmed by PRACK', () => {
    expect(heardAt('callee', 'early')).toBe('12');
    expect(report('early').received.callee.map(({ what }) => what)).toContain('PRACK');
  });

  test('are reported as far as the pattern of a subscription goes', () => {
    expect(heardAt('caller', 'pattern')).toBe('12');
    expect(report('pattern').keys.at(-1)).toMatchObject({ digit: '4', lost: 'no-match' });
  });

  test('come by a subscription in a dialog of its own', () => {
    const { received } = report('separate');
    const callId = (what: string): string | undefined =>
      /^Call-ID: (.*)$/m.exec(received.caller.find((each) => each.what === what)?.text ?? '')?.[1];
    expect(heardAt('callee', 'separate')).toBe('7');
    expect(callId('SUBSCRIBE')).not.toBe(callId('200 INVITE'));
  });

  test('get lost with all their packets', () => {
    expect(heardAt('callee', 'lossy')).toBe('2');
    expect(report('lossy').keys[0]).toMatchObject({ digit: '1', lost: 'the SBC has not seen it' });
  });
});

test('an agent with a host name is called at an address that stands for it', () => {
  expect(report('named').received.callee[0]?.place).toMatch(/^udp\/198\.51\.100\.\d+:5060$/);
});

test('the report says what crossed, what was changed and what each side was not shown', () => {
  const [invite] = report('again').received.callee;
  const changes = Object.fromEntries(
    invite?.headers.map(({ name, change }) => [name, change]) ?? [],
  );
  expect(changes).toMatchObject({
    'Content-Type': 'crossed',
    From: 'changed',
    'Allow-Events': 'vanished',
    'User-Agent': 'added',
  });
  expect(invite?.sdp.filter(({ mark }) => mark === '+').map(({ line }) => line)).toContain(
    'a=rtpmap:101 telephone-event/8000',
  );
});

test('the same call comes out the same, byte for byte', () => {
  expect(report('again')).toEqual(report('andAgain'));
});

test('a scenario that does not fit the configuration is told so', () => {
  expect(answers.get('nobody')).toEqual({
    type: 'unfit',
    message:
      '"phone" is no session agent of the configuration (there are: phone-kpml, phone-2833, phone-info, carrier-preferred, carrier-transparent, carrier-dual, ivr-kpml, recorder-hairpin)',
  });
});

describe('the examples', () => {
  const folder = 'config/scenarios';
  const examples = readdirSync(folder)
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => join(folder, name));
  let result: CommandResult | undefined;
  beforeAll(async () => {
    result = await simulateFiles(examples, undefined, { brief: true });
  });

  test('all come out as they expect', () => {
    expect(result?.text.split('\n').filter((line) => !line.startsWith('ok '))).toEqual(['']);
    expect(result?.exitCode).toBe(0);
  });

  test.each(examples)('%s is one of them', (file) => {
    expect(result?.text).toContain(`ok      ${file}: `);
  });
});
