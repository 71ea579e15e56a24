import { expect, test } from 'vitest';
import { configPlanView } from '../../../src/api/config-plan.ts';
import { formatPlan } from '../../../src/cli/plan-text.ts';
import { edited, load, SAMPLE, validOf } from '../config/sample.ts';

const CARRIER = [
  { sipInterface: 'access', agent: undefined },
  { sipInterface: 'core', agent: 'carrier' },
];
const STRANGER = [{ sipInterface: 'access', agent: undefined }];

function planOf(text: string, calls?: Parameters<typeof configPlanView>[2]): string {
  return formatPlan('new.yaml', configPlanView(validOf(SAMPLE), load(text), calls));
}

test('a plan reads from what changes to what follows from it', () => {
  const text = edited(
    ['address: 127.0.0.1:6080', 'address: sip.example, dtmf-gap-ms: 80'],
    ['local-policies:', '  - { name: two, realm: core, address: 127.0.0.1:6082 }\nlocal-policies:'],
    [
      '{ from-realm: access, to: "*"',
      '{ from-realm: access, to: "49", next-hop: two }\n  - { from-realm: access, to: "*"',
    ],
  );
  expect(planOf(text, [CARRIER, STRANGER])).toBe(
    `session agents
  ~ carrier
      address: 127.0.0.1:6080 -> sip.example
      dtmf-gap-ms: inherit -> 80
  + two

local policies
  + from-realm access, to 49, next-hop two

routes
  source             to  from  method  before   after
  from-realm access  49  *     INVITE  carrier  two

parameters in force
  leg                      parameter    before        after
  session agent "carrier"  dtmf-gap-ms  60 (default)  80 (session-agent carrier)

calls
  2 calls running
  1 with a leg on session agent "carrier", which is changed
  they keep the configuration they began with until their end

findings of the linter
  new.yaml:8:35: info agent-host-name: requests from "carrier" are recognised by the addresses of sip.example
      The name is looked up at start and reload; an address is recognised without DNS.

verdict: applies live
`,
  );
});

test('what is gone, what is in another order, and what cannot be shown', () => {
  const before = edited(['address: 127.0.0.1:6080', 'address: sip.example']);
  const swapped = SAMPLE.replace(/(.*name: access, realm.*\n)(.*name: core, realm.*\n)/, '$2$1');
  const view = configPlanView(
    validOf(before),
    load(`${swapped}log: { level: debug }\n`),
    undefined,
  );
  expect(formatPlan('new.yaml', { ...view, problems: [], verdict: 'live' })).toBe(
    `session agents
  ~ carrier
      address: sip.example -> 127.0.0.1:6080

other settings
  log.level: info -> debug

another order of
  sip-interfaces

findings of the linter
  gone: info agent-host-name: requests from "carrier" are recognised by the addresses of sip.example

verdict: applies live
`,
  );
});

test('a restart ends calls', () => {
  expect(planOf(`${SAMPLE}media: { workers: 1 }\n`, [CARRIER])).toBe(
    `other settings
  media.workers: auto -> 1

calls
  1 call running, which a restart ends unless they are drained before

verdict: needs restart: media
  new.yaml:12:1: media: a change here needs a restart
`,
  );
});

test('what is refused, and what changes nothing', () => {
  expect(planOf('colour: red\n')).toMatch(
    /^verdict: refused: 3 problems\n(?: {2}new\.yaml:1:1: .*\n){2} {2}new\.yaml:1:1: colour: unknown key/,
  );
  expect(planOf(`# about this\n${SAMPLE}`, [CARRIER])).toBe('verdict: nothing changes\n');
});
