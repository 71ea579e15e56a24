/**
 * Policies and translations on the wire, all through one SBC:
 *
 *   alice 127.0.0.2 ── access [SBC] core ── bob 127.0.0.3 (carrier), carol 127.0.0.3 (second carrier)
 *     dials 030…             +49 30… looked up         0049 30… seen by bob
 */
import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CdrRecord } from '../../src/observe/cdr.ts';
import {
  callRecords,
  expectNothingLeft,
  plainOffer,
  startRelayThread,
} from '../support/call-stage.ts';
import { freePorts } from '../support/free-ports.ts';
import { checkLeaksAfterEach, closeAfterTest } from '../support/leak-check.ts';
import { SipPeer } from '../support/sip-peer.ts';
import { type Header, headerValue, statusOf, type SipText } from '../support/sip-text.ts';
import { type RunningSbc, startLoopbackSbc } from '../support/start-sbc.ts';

const ALICE = '127.0.0.2';
const CARRIERS = '127.0.0.3';
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

/** Three days from now, so that midnight may pass meanwhile. */
function daysFromNow(...days: number[]): string {
  return days.map((day) => DAYS[(new Date().getUTCDay() + day) % DAYS.length]).join(',');
}

const POLICIES = (): string[] => [
  '{ from-realm: access, to: "+49", next-hop: carrier }',
  '{ from-realm: access, to: "+49", cost: 10, next-hop: second }',
  '{ from-realm: access, to: "+49900", next-hop: reject, code: 603, reason: "No premium numbers" }',
  '{ from-realm: access, to: "+49", from: "+49999", next-hop: second, translate: extension }',
  `{ from-realm: access, to: "+4940", time: { days: "${daysFromNow(3)}" }, next-hop: carrier }`,
  `{ from-realm: access, to: "+4940", time: { days: "${daysFromNow(0, 1)}" }, next-hop: second }`,
  `{ from-realm: access, to: "+4950", time: { days: "${daysFromNow(3)}" }, next-hop: carrier }`,
  '{ from-realm: access, to: "1", next-hop: carrier }',
  '{ from-agent: carrier, to: "+49", next-hop: phone }',
];

const TRANSLATIONS = `
translations:
  - name: arriving
    called: [ { strip-prefix: "0", add-prefix: "+49" } ]
    calling: [ { strip-prefix: "0", add-prefix: "+49" } ]
  - name: leaving
    called: [ { strip-prefix: "+", add-prefix: "00" } ]
    calling: [ { strip-prefix: "+", add-prefix: "00" } ]
  - { name: extension, calling: [ { pattern: "^.*(\\\\d{4})$", replace: "$1" } ] }
`;

let running: RunningSbc;
let ports: { readonly alice: number; readonly bob: number; readonly carol: number };

beforeAll(async () => {
  const [alice = 0] = await freePorts(1, ALICE);
  const [bob = 0, carol = 0] = await freePorts(2, CARRIERS);
  ports = { alice, bob, carol };
  running = await startLoopbackSbc({
    carrier: { address: CARRIERS, port: bob },
    phone: { address: ALICE, port: alice },
    access: { 'translate-in': 'arriving', trust: 'trusted' },
    core: { 'translate-out': 'leaving', 'translate-in': 'none', trust: 'trusted' },
    edit: (yaml) => withRouting(yaml, carol),
  });
  await startRelayThread(running);
});
afterAll(() => running.close());
checkLeaksAfterEach();

function withRouting(yaml: string, carol: number): string {
  const [before = '', rest = ''] = yaml.split('local-policies:\n');
  const after = rest.slice(rest.indexOf('admission:'));
  const second = `  - { name: second, realm: core, address: "${CARRIERS}:${carol}", transport: udp }\n`;
  const policies = POLICIES().map((line) => `  - ${line}\n`);
  return `${before}${second}local-policies:\n${policies.join('')}${TRANSLATIONS}${after}`;
}

interface Ends {
  readonly alice: SipPeer;
  readonly bob: SipPeer;
  readonly carol: SipPeer;
}

async function openPeer(user: string, address: string, port: number): Promise<SipPeer> {
  return closeAfterTest(await SipPeer.open({ user, address, port }));
}

async function openEnds(): Promise<Ends> {
  const ends = {
    alice: await openPeer('03055', ALICE, ports.alice),
    bob: await openPeer('bob', CARRIERS, ports.bob),
    carol: await openPeer('carol', CARRIERS, ports.carol),
  };
  closeAfterTest({ close: () => expectNothingLeft(running) });
  return ends;
}

interface Seen {
  readonly invite: SipText;
  readonly record: CdrRecord;
}

/** Alice calls, `callee` answers, alice hangs up. */
async function callTo(
  ends: Ends,
  callee: SipPeer,
  dialled: { readonly to: string; readonly from?: string; readonly headers?: readonly Header[] },
): Promise<Seen> {
  const { alice } = ends;
  const outgoing = alice.invite({ via: running.access, body: plainOffer(alice), ...dialled });
  const incoming = await callee.nextCall();
  await incoming.answer({ body: plainOffer(callee, 40_010) });
  const dialog = await outgoing.answered();
  await dialog.bye();
  await incoming.dialog.waitForEnd();
  return { invite: incoming.invite, record: await recordOf(dialog.callId) };
}

async function refusalOf(ends: Ends, to: string): Promise<SipText> {
  const { alice } = ends;
  return alice.invite({ to, via: running.access, body: plainOffer(alice) }).finished();
}

async function recordOf(callId: string): Promise<CdrRecord> {
  const isOfCall = ({ ingress }: CdrRecord): boolean => ingress.sipCallId === callId;
  for (let count = 1; ; count += 1) {
    const found = (await callRecords(running, count)).find(isOfCall);
    if (found !== undefined) return found;
  }
}

/** Locks or unlocks the agent `carrier`; leaves no connection open. */
function change(action: 'lock' | 'unlock'): Promise<number | undefined> {
  const path = `/api/v1/agents/carrier/${action}`;
  const options = { port: running.api.port, path, method: 'POST', agent: false };
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', ...options }, (answer) => {
      answer.resume().on('end', () => resolve(answer.statusCode));
    });
    sent.on('error', reject).end();
  });
}

function userIn(header: string | undefined): string | undefined {
  return /(?:sip|tel):([^@>]+)/.exec(header ?? '')?.[1];
}

describe('numbers', () => {
  test('are translated on the way in and on the way out, in every header and in the record', async () => {
    const ends = await openEnds();
    const { invite, record } = await callTo(ends, ends.bob, {
      to: '0301234',
      headers: [['P-Asserted-Identity', '<sip:03077@pbx.example>, <tel:+4930777>']],
    });
    expect(invite.startLine).toBe(`INVITE sip:0049301234@${CARRIERS}:${ports.bob} SIP/2.0`);
    expect(userIn(headerValue(invite, 'To'))).toBe('0049301234');
    expect(userIn(headerValue(invite, 'From'))).toBe('00493055');
    const asserted = (headerValue(invite, 'P-Asserted-Identity') ?? '').split(',').map(userIn);
    expect(asserted).toEqual(['00493077', '004930777']);
    expect(record.numbers).toEqual({
      calledIn: '0301234',
      calledOut: '0049301234',
      callerIn: '03055',
      callerOut: '00493055',
    });
    expect(record.policy?.rule).toBe('from-realm access, to +49, next-hop carrier');
  });

  test('portability data travels with the called number', async () => {
    const ends = await openEnds();
    const dialled = { to: '0301234;npdi;rn=+4930199' };
    const { invite, record } = await callTo(ends, ends.bob, dialled);
    expect(invite.startLine).toContain(' sip:0049301234;npdi;rn=+4930199@');
    expect(record.numbers).toMatchObject({ calledIn: '0301234', calledOut: '0049301234' });
  });

  test('an anonymous caller stays anonymous', async () => {
    const ends = await openEnds();
    const { invite } = await callTo(ends, ends.bob, { to: '0301234', from: 'anonymous' });
    expect(userIn(headerValue(invite, 'From'))).toBe('anonymous');
  });

  test('the calling number selects a policy, whose own translation comes first', async () => {
    const ends = await openEnds();
    const { invite } = await callTo(ends, ends.carol, { to: '0301234', from: '099912345' });
    expect(userIn(headerValue(invite, 'From'))).toBe('2345');
    expect(userIn(headerValue(invite, 'To'))).toBe('0049301234');
  });

  test('a call from a carrier is routed by the agent that it comes from', async () => {
    const ends = await openEnds();
    const { bob, alice, carol } = ends;
    const outgoing = bob.invite({ to: '+4930', via: running.core, body: plainOffer(bob) });
    const incoming = await alice.nextCall();
    await incoming.answer({ body: plainOffer(alice, 40_010) });
    await (await outgoing.answered()).bye();
    await incoming.dialog.waitForEnd();
    expect(incoming.invite.startLine).toContain(`sip:+4930@${ALICE}`);
    const other = carol.invite({ to: '+4930', via: running.core, body: plainOffer(carol) });
    expect(statusOf(await other.finished())).toBe(404);
  });
});

describe('policies', () => {
  test('a policy rejects with its code and its phrase', async () => {
    const ends = await openEnds();
    const refusal = await refusalOf(ends, '09001234');
    expect(refusal.startLine).toBe('SIP/2.0 603 No premium numbers');
    const record = await recordOf(headerValue(refusal, 'Call-ID') ?? '');
    expect(record).toMatchObject({
      attempts: [],
      release: { side: 'sbc', sipCode: 603, internalCode: 'rejected-by-policy' },
      policy: { name: 'from-realm access, to +49900, next-hop reject, code 603' },
    });
  });

  test.each([
    ['an escaped digit', '0%390%301234', '09001234'],
    ['visual separators', '0(900)-12.34', '0(900)-12.34'],
    ['an escaped separator', '%309%2d001234', '09-001234'],
  ])('%s does not lead around a policy', async (_spelling, to, calledIn) => {
    const refusal = await refusalOf(await openEnds(), to);
    expect(statusOf(refusal)).toBe(603);
    const record = await recordOf(headerValue(refusal, 'Call-ID') ?? '');
    expect(record.numbers.calledIn).toBe(calledIn);
  });

  test('a number leaves as the policies have read it', async () => {
    const ends = await openEnds();
    const { invite, record } = await callTo(ends, ends.bob, { to: '1-2%33.(4)', from: '%305-5' });
    expect([userIn(invite.startLine.split(' ')[1]), userIn(headerValue(invite, 'From'))]).toEqual([
      '1234',
      '004955',
    ]);
    expect(record.numbers).toEqual({
      calledIn: '1-23.(4)',
      callerIn: '05-5',
      calledOut: '1234',
      callerOut: '004955',
    });
  });

  test('a policy counts at its hours only', async () => {
    const ends = await openEnds();
    await callTo(ends, ends.carol, { to: '040123' });
    expect(ends.bob.incoming).toEqual([]);
  });

  test('outside of its hours a more general policy takes the call', async () => {
    const ends = await openEnds();
    const { invite } = await callTo(ends, ends.bob, { to: '050123' });
    expect(invite.startLine).toContain('sip:004950123@');
  });

  test('the alternative is tried when the first agent refuses', async () => {
    const ends = await openEnds();
    void ends.bob.nextCall().then((incoming) => incoming.reject(503));
    const { record } = await callTo(ends, ends.carol, { to: '0301234' });
    expect(record.attempts.map(({ agent, code }) => [agent, code])).toEqual([
      ['carrier', 503],
      ['second', 200],
    ]);
  });

  test('the alternative is taken when the first agent is locked, and the record says so', async () => {
    const ends = await openEnds();
    expect(await change('lock')).toBe(200);
    try {
      const { record } = await callTo(ends, ends.carol, { to: '0301234' });
      expect(record.attempts.map(({ agent }) => agent)).toEqual(['second']);
      expect(record.policy).toMatchObject({
        rule: 'from-realm access, to +49, cost 10, next-hop second',
        skipped: [{ agent: 'carrier' }],
      });
      expect(statusOf(await refusalOf(ends, '112'))).toBe(503);
    } finally {
      await change('unlock');
    }
  });
});
