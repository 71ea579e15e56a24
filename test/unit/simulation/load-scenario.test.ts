import { describe, expect, test } from 'vitest';
import { formatProblem } from '../../../src/config/problem.ts';
import { loadScenario } from '../../../src/simulation/load-scenario.ts';
import type { Scenario } from '../../../src/simulation/scenario.ts';

const LEAST = 'name: a call\ncaller: { from-agent: phone, to: "1" }\n';

function noFile(name: string): string {
  throw new Error(`no ${name} here`);
}

function scenarioOf(text: string): Scenario {
  const loaded = loadScenario(text, noFile);
  if (loaded.type === 'scenario') return loaded.scenario;
  throw new Error(problemsOf(text).join('\n'));
}

function problemsOf(text: string): string[] {
  const loaded = loadScenario(text, noFile);
  if (loaded.type === 'scenario') return [];
  return loaded.problems.map((problem) => formatProblem('', problem).slice(1));
}

describe('a scenario file', () => {
  test('with the least there can be has an answered call of two G.711 ends with telephone-events', () => {
    const { caller, callee, events, expect: expected } = scenarioOf(LEAST);
    expect(caller).toMatchObject({ fromAgent: 'phone', to: '1', dtmf: 'rtp', allowEvents: '' });
    expect(caller.sdp).toMatchObject({ type: 'preset', eventPayloadType: 101 });
    expect(callee).toMatchObject({ answers: { status: 200 }, ringing: { status: 180 } });
    expect(events).toEqual([]);
    expect(expected).toMatchObject({ keysAt: {}, translators: {}, rows: {}, messages: [] });
  });

  test('with dtmf: kpml has an end without telephone-event that lists kpml', () => {
    const { callee } = scenarioOf(`${LEAST}callee: { dtmf: kpml }`);
    expect(callee).toMatchObject({ allowEvents: 'kpml', sdp: { eventPayloadType: undefined } });
  });

  test('keeps phone numbers as they are typed', () => {
    const { caller } = scenarioOf('name: n\ncaller: { address: 192.0.2.1:5060, to: +0049 }\n');
    expect(caller).toMatchObject({ to: '+0049', address: '192.0.2.1:5060' });
  });

  test.each([
    ['sip:1@192.0.2.1', '<sip:1@192.0.2.1>'],
    ['sip:1@192.0.2.1;transport=tcp', '<sip:1@192.0.2.1;transport=tcp>'],
    ['sip:1@192.0.2.1;transport=tcp;q=0.5', '<sip:1@192.0.2.1;transport=tcp>;q=0.5'],
    ['<sip:1@192.0.2.1>;q=0.5', '<sip:1@192.0.2.1>;q=0.5'],
    ['"One, two" <sip:1@192.0.2.1>', '"One, two" <sip:1@192.0.2.1>'],
    [
      'sip:1@192.0.2.1;q=0.5, <sip:2@192.0.2.1;lr>;q=1.0,tel:+493',
      '<sip:1@192.0.2.1>;q=0.5, <sip:2@192.0.2.1;lr>;q=1.0, <tel:+493>',
    ],
  ])('has contacts as URIs or as name-addrs: %s', (contact, header) => {
    const { callee } = scenarioOf(`${LEAST}callee: { contact: '${contact}' }`);
    expect(callee.contact).toBe(header);
  });

  test.each(['here', '<sip:1@192.0.2.1', 'sip:1@192.0.2.1, ,<>', '', ' , '])(
    'has no contact such as "%s"',
    (contact) => {
      const [problem] = problemsOf(`${LEAST}callee: { contact: '${contact}' }`);
      expect(problem).toMatch(/^3:20: callee\.contact: /);
    },
  );

  test('has its events in order of time', () => {
    const { events } = scenarioOf(
      `${LEAST}events: [ { at: 2s, by: caller, do: hold }, { at: 1s, by: callee, press: "1#" } ]`,
    );
    expect(events.map(({ atMs, action }) => [atMs, action.type])).toEqual([
      [1000, 'press'],
      [2000, 'hold'],
    ]);
  });

  test('expects the keys and rows that it names, and no others', () => {
    const { expect: expected } = scenarioOf(
      `${LEAST}expect: { keys-at-callee: "", row: { callee-to-caller: X2 } }`,
    );
    expect(expected).toMatchObject({ keysAt: { callee: '' }, rows: { callee: 'X2' } });
    expect(Object.keys(expected.keysAt)).toEqual(['callee']);
  });
});

test.each<[what: string, text: string, problem: string]>([
  [
    'nobody who calls',
    'name: n\ncaller: { to: "1" }\n',
    '2:15: caller.to: the caller is either a session agent (from-agent) or an address',
  ],
  [
    'an unknown key',
    `${LEAST}event: []\n`,
    '3:1: event: unknown key "event" (did you mean "events"?)',
  ],
  [
    'an unknown preset',
    `${LEAST}callee: { answer: g71+2833 }\n`,
    '3:19: callee.answer: "g71" is neither "file:NAME", a text that begins with v=0, nor one of g711, g711u, g711a, g722, g729, opus, 2833, 2833:PAYLOAD-TYPE, none joined by "+" (did you mean "g711"?)',
  ],
  [
    'an SDP file that is not there',
    `${LEAST}callee: { answer: "file:a.sdp" }\n`,
    '3:19: callee.answer: a.sdp cannot be read: no a.sdp here',
  ],
  [
    'an answer that is none',
    `${LEAST}callee: { answers: 180 after 1s }\n`,
    '3:20: callee.answers: "180 after 1s" is no final answer such as "200 after 2s", "486", silent or unreachable',
  ],
  [
    'an event with two actions',
    `${LEAST}events: [ { at: 1s, by: caller, press: "1", do: hold } ]\n`,
    '3:25: events[0].by: an event needs exactly one of press, do, rtp-loss',
  ],
  [
    'keys that there are not',
    `${LEAST}events: [ { at: 1s, by: caller, press: "1x" } ]\n`,
    '3:40: events[0].press: "1x" is no row of keys: 0-9, *, #, A-D, R',
  ],
  [
    'a share of more than all',
    `${LEAST}callee: { rtp-loss: 101% }\n`,
    '3:21: callee.rtp-loss: "101%" is no percentage from 0% to 100%',
  ],
])('%s is told with its place', (_what, text, problem) => {
  expect(problemsOf(text)).toEqual([problem]);
});

test('text that is no YAML is told with its place', () => {
  expect(problemsOf('name: [')[0]).toMatch(/^1:\d+: /);
});
