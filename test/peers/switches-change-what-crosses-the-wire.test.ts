/**
 * Switches of a leg, each with calls through one SBC that differ in its value alone: what the other end gets differs.
 *
 *   caller (access, KPML)           SBC                        callee (core, telephone-event)
 *     | NOTIFY digits="12"           |                              |
 *     |----------------------------->|== 1 ==  dtmf-gap-ms  == 2 ==>|
 */

import { afterAll, beforeAll, expect, test } from 'vitest';
import { settle } from '../support/digit-call.ts';
import { DigitLines } from '../support/digit-lines.ts';
import type { Connected, LineEnd, LineOptions } from '../support/digit-lines.ts';
import { checkLeaksAfterEach } from '../support/leak-check.ts';
import type { LegParameters } from '../support/loopback-config.ts';
import { buildEvent, buildRtp } from '../support/rtp-packet.ts';
import { buildSdp } from '../support/sdp-text.ts';
import { headerValue, methodOf, statusOf } from '../support/sip-text.ts';
import { waitFor } from '../support/wait-for.ts';

interface Row {
  readonly setting: string;
  /** The leg it stands on. */
  readonly on: 'caller' | 'callee';
  /** What to do in the call; gives what came of it. */
  readonly act: (call: Connected) => Promise<string>;
  readonly expected: string;
  readonly isDelayed?: boolean;
}

/** Row K1: NOTIFY of the caller becomes events, events of the callee NOTIFY. */
const PHONE: LegParameters = { 'kpml-interworking': 'enabled', 'rfc2833-mode': 'transparent' };
const TRUNK: LegParameters = { 'kpml-interworking': 'disabled', 'rfc2833-mode': 'preferred' };

// oxfmt-ignore
const ROWS: readonly Row[] = [
  { setting: 'dtmf-packet-interval-ms: 20', on: 'callee', act: firstReport, expected: '160' },
  { setting: 'dtmf-packet-interval-ms: 50', on: 'callee', act: firstReport, expected: '400' },
  { setting: 'dtmf-gap-ms: 300', on: 'callee', act: gapBetweenTwo(400), expected: 'long enough' },
  { setting: 'dtmf-gap-ms: 500', on: 'callee', act: gapBetweenTwo(600), expected: 'long enough' },
  { setting: 'dtmf-merge-window-ms: 0', on: 'callee', act: sameKeyTwice, expected: '11' },
  { setting: 'dtmf-merge-window-ms: 1000', on: 'callee', act: sameKeyTwice, expected: '1' },
  { setting: 'dtmf-repair-moved-end: enabled', on: 'callee', act: movedEnds, expected: '5' },
  { setting: 'dtmf-repair-moved-end: disabled', on: 'callee', act: movedEnds, expected: '555' },
  { setting: 'kpml-subscribe-expires: 7200', on: 'caller', act: ourSubscribe, expected: '7200 kpml 7260000' },
  { setting: 'kpml-subscribe-expires: 300', on: 'caller', act: ourSubscribe, expected: '300 kpml 360000' },
  { setting: 'kpml-event-parameters: full', on: 'caller', act: ourSubscribe,
    expected: '7200 kpml;call-id="CALL-ID";local-tag=PHONE;remote-tag=SBC 7260000' },
  { setting: 'kpml-bodyless-refresh: keep', on: 'caller', act: bodylessRefresh('17'), expected: '17' },
  { setting: 'kpml-bodyless-refresh: unload', on: 'caller', act: bodylessRefresh('1'), expected: '1' },
  { setting: 'kpml-default-pattern: disabled', on: 'caller', act: bodylessSubscribe(''), expected: '' },
  { setting: 'kpml-default-pattern: enabled', on: 'caller', act: bodylessSubscribe('7'), expected: '7' },
  { setting: 'kpml-tolerate-missing-state: disabled', on: 'caller', act: notifyWithoutState, expected: '400 2' },
  { setting: 'kpml-tolerate-missing-state: enabled', on: 'caller', act: notifyWithoutState, expected: '200 12' },
  { setting: 'kpml-flash: disabled', on: 'caller', act: patternAskedFor, expected: '[x*#ABCD]' },
  { setting: 'kpml-flash: enabled', on: 'caller', act: patternAskedFor, expected: '[x*#ABCDR]' },
  { setting: 'kpml-flash: disabled', on: 'caller', act: flashBothWays, expected: '5 5' },
  { setting: 'kpml-flash: enabled', on: 'caller', act: flashBothWays, expected: 'R5 ?5' },
  { setting: 'add-sdp-invite: disabled', on: 'caller', act: offersToCallee, isDelayed: true, expected: 'none none' },
  { setting: 'add-sdp-invite: invite', on: 'caller', act: offersToCallee, isDelayed: true, expected: 'offer none' },
  { setting: 'add-sdp-invite: reinvite', on: 'caller', act: offersToCallee, isDelayed: true, expected: 'none offer' },
  { setting: 'add-sdp-invite: both', on: 'caller', act: offersToCallee, isDelayed: true, expected: 'offer offer' },
];

let lines: DigitLines | undefined;
let seen: PromiseSettledResult<string>[] = [];

checkLeaksAfterEach();

beforeAll(async () => {
  const opened = await DigitLines.open(ROWS.map((row) => lineOf(row)));
  lines = opened;
  seen = await Promise.allSettled(
    ROWS.map(async (row, index) => {
      const call = await opened.connect(index);
      const outcome = await row.act(call);
      await opened.finish(call);
      return outcome;
    }),
  );
});

afterAll(async () => {
  await lines?.close();
});

function lineOf({ setting, on, isDelayed = false }: Row): LineOptions {
  const [name = '', value = ''] = setting.split(': ');
  const own = { [name]: value };
  const caller: LineEnd = {
    leg: on === 'caller' ? { ...PHONE, ...own } : PHONE,
    hasEvents: false,
    hasKpml: true,
  };
  const callee: LineEnd = {
    leg: on === 'callee' ? { ...TRUNK, ...own } : TRUNK,
    hasEvents: true,
    events: '0-16',
    hasKpml: false,
  };
  return { caller, callee, isDelayed };
}

/** How long a key has lasted by its first report, in clock ticks; the least of three, as a machine may stall. */
async function firstReport({ caller, callee }: Connected): Promise<string> {
  await caller.keypad.waitForSubscription();
  await caller.keypad.reportRaw('123');
  await callee.waitForDigits(3);
  const firsts = callee.events.map((event) => event.reports[0]?.durationTicks ?? 0);
  return String(Math.min(...firsts));
}

/** Of two keys in one NOTIFY the second one begins `leastMs` after the first or later. */
function gapBetweenTwo(leastMs: number): Row['act'] {
  return async ({ caller, callee }) => {
    await caller.keypad.waitForSubscription();
    await caller.keypad.reportRaw('12');
    await callee.waitForDigits(2);
    const [first, second] = callee.events;
    const apart = (((second?.timestamp ?? 0) - (first?.timestamp ?? 0)) >>> 0) / 8;
    return apart >= leastMs ? 'long enough' : `${apart} ms`;
  };
}

/** The same key twice; then another one, which shows that nothing more comes of them. */
async function sameKeyTwice({ caller, callee }: Connected): Promise<string> {
  await caller.listener.listen();
  await callee.press('112', { durationMs: 60, gapMs: 40 });
  await waitFor('the last key', () => caller.listener.digits.endsWith('2'));
  return caller.listener.digits.slice(0, -1);
}

/** Expires, Event and interdigittimer of the SBC's SUBSCRIBE. */
async function ourSubscribe({ caller }: Connected): Promise<string> {
  const { dialog, keypad } = caller;
  await keypad.waitForSubscription();
  const [request] = keypad.subscribes;
  if (request === undefined) return 'no SUBSCRIBE';
  const event = (headerValue(request, 'Event') ?? '')
    .replace(dialog.callId, 'CALL-ID')
    .replace(dialog.localTag, 'PHONE')
    .replace(dialog.remoteTag ?? 'no tag', 'SBC');
  const timer = /interdigittimer="(\d+)"/.exec(request.body)?.[1];
  return `${headerValue(request, 'Expires')} ${event} ${timer}`;
}

/** Flash each way and then 5: what the caller hears by NOTIFY and the callee as events, where 16 has no sign. */
async function flashBothWays({ caller, callee }: Connected): Promise<string> {
  await caller.keypad.waitForSubscription();
  await caller.listener.subscribe({ pattern: '[x*#ABCDR]' });
  await sendReports(
    callee,
    [16, 5].map((eventCode, index) => ({
      eventCode,
      durationTicks: 800,
      isEnd: true,
      atTicks: 1600 * index,
    })),
  );
  await caller.keypad.reportRaw('R5');
  await waitFor('the last keys', () => [caller.listener, callee].every(endsWithFive));
  return `${caller.listener.digits} ${callee.digits}`;
}

function endsWithFive({ digits }: { readonly digits: string }): boolean {
  return digits.endsWith('5');
}

/** The key 5 from a sender that moves the timestamp of each end packet; then 2, which shows that nothing more comes. */
async function movedEnds({ caller, callee }: Connected): Promise<string> {
  await caller.listener.listen();
  await sendReports(callee, [
    { eventCode: 5, durationTicks: 640, isEnd: false, atTicks: 0 },
    ...[0, 160, 320].map((atTicks) => ({ eventCode: 5, durationTicks: 800, isEnd: true, atTicks })),
    { eventCode: 2, durationTicks: 800, isEnd: true, atTicks: 4000 },
  ]);
  await waitFor('the last key', () => caller.listener.digits.endsWith('2'));
  return caller.listener.digits.slice(0, -1);
}

interface SentReport {
  readonly eventCode: number;
  readonly durationTicks: number;
  readonly isEnd: boolean;
  /** Timestamp, counted from one frame after the last of the audio. */
  readonly atTicks: number;
}

/** Reports of keys one behind the other, in place of the audio from now on. */
async function sendReports(
  { rtp }: Connected['callee'],
  reports: readonly SentReport[],
): Promise<void> {
  await waitFor('audio of the callee', () => rtp.sent.length > 0);
  rtp.stopAudio();
  const last = rtp.sent.at(-1);
  if (last === undefined) throw new Error('no audio yet');
  for (const [index, { atTicks, ...fields }] of reports.entries()) {
    rtp.sendRaw(
      buildRtp({
        payloadType: 101,
        marker: false,
        sequenceNumber: last.sequenceNumber + index + 1,
        timestamp: last.timestamp + 160 + atTicks,
        ssrc: last.ssrc,
        payload: buildEvent({ ...fields, volume: 10 }),
      }),
    );
  }
}

async function patternAskedFor({ caller }: Connected): Promise<string> {
  await caller.keypad.waitForSubscription();
  const body = caller.keypad.subscribes[0]?.body ?? '';
  return /<regex[^>]*>([^<]*)</.exec(body)?.[1] ?? 'none';
}

/** A subscription with a document, then one without; the keys heard of 1 before and 7 after. */
function bodylessRefresh(expected: string): Row['act'] {
  return async (call) => {
    const { caller, callee } = call;
    await caller.listener.listen();
    await callee.press('1');
    await caller.listener.waitForDigits(1);
    await subscribeWithoutBody(call);
    await callee.press('7');
    return heard(call, 2, expected);
  };
}

/** A first subscription without document; the keys heard of 7. */
function bodylessSubscribe(expected: string): Row['act'] {
  return async (call) => {
    await subscribeWithoutBody(call);
    await call.callee.press('7');
    return heard(call, 1, expected);
  };
}

async function subscribeWithoutBody({ caller }: Connected): Promise<void> {
  const before = caller.listener.notifies.length;
  const headers = [
    ['Event', 'kpml'],
    ['Expires', '600'],
  ] as const;
  await caller.dialog.request('SUBSCRIBE', { headers });
  await waitFor('its NOTIFY', () => caller.listener.notifies.length > before);
}

/** What the caller has heard when `count` keys of the callee are known and no less than `expected` has come. */
async function heard(call: Connected, count: number, expected: string): Promise<string> {
  const { callId, caller, callee } = call;
  await waitFor('all keys', () => (lines?.ledger(callId).length ?? 0) >= count);
  await waitFor('reports', () => caller.listener.digits.length >= expected.length);
  await settle(caller.dialog, callee.dialog);
  return caller.listener.digits;
}

/** What NOTIFY gets without Subscription-State; then the keys heard, a regular one the last of them. */
async function notifyWithoutState({ caller, callee }: Connected): Promise<string> {
  await caller.keypad.waitForSubscription();
  const response = await caller.dialog.request('NOTIFY', {
    headers: [['Event', 'kpml']],
    contentType: 'application/kpml-response+xml',
    body: '<kpml-response version="1.0" code="200" text="OK" digits="1"/>',
  });
  await caller.keypad.press('2');
  await waitFor('the last key', () => callee.digits.endsWith('2'));
  return `${statusOf(response)} ${callee.digits}`;
}

/** Whether the INVITE, and then a re-INVITE without SDP, reach the callee with an offer. */
async function offersToCallee({ caller, callee }: Connected): Promise<string> {
  const { address, rtpPort } = caller.rtp;
  await settle(caller.dialog, callee.dialog);
  const response = await caller.dialog.request('INVITE', {
    ackBody: () => buildSdp({ address, rtpPort, version: 5 }),
  });
  if (statusOf(response) !== 200) return response.startLine;
  if (response.body === '') return '200 without an offer';
  const again = callee.dialog.received.find((request) => methodOf(request) === 'INVITE');
  await callee.dialog.waitForAck(2);
  return [callee.remoteMessage, again]
    .map((invite) => (invite?.body === '' ? 'none' : 'offer'))
    .join(' ');
}

test.each(ROWS.map(({ setting, expected }, index) => ({ setting, expected, index })))(
  '$setting: $expected',
  ({ expected, index }) => {
    const outcome = seen[index];
    if (outcome?.status === 'rejected') throw outcome.reason;
    expect(outcome?.value).toBe(expected);
  },
);
