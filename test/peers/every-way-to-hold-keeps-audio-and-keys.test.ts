/**
 * Hold and resume in 128 calls through one SBC, in each of them audio and four keys both ways before and after:
 *
 *   who holds        caller, callee
 *   how              sendonly, inactive, recvonly, c=0.0.0.0
 *   how keys travel  telephone-event at both ends, KPML at the caller, KPML at the callee, KPML at both
 *   by which request re-INVITE, re-INVITE with its description in the ACK, UPDATE, re-INVITE that meets one of the other end
 *
 *   holder            SBC             held
 *     | audio, 4 keys   |   audio, 4 keys |
 *     |<===============>|<===============>|
 *     | hold            | hold            |
 *     |---------------->|---------------->|      only those who may do hear anything
 *     | resume          | resume          |
 *     |---------------->|---------------->|      twice
 *     | audio, 4 keys   |   audio, 4 keys |
 *     |<===============>|<===============>|
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { audioAt, isSilentAt } from '../support/call-stage.ts';
import { DigitLines } from '../support/digit-lines.ts';
import type { Connected, LineCall, LineEnd } from '../support/digit-lines.ts';
import { HoldingEnd } from '../support/hold-line.ts';
import type { HoldForm, HoldRequest } from '../support/hold-line.ts';
import { checkLeaksAfterEach } from '../support/leak-check.ts';
import { statusOf } from '../support/sip-text.ts';

type Role = 'caller' | 'callee';
type Request = HoldRequest | 'glare';

interface Row {
  readonly holder: Role;
  readonly form: HoldForm;
  readonly keys: string;
  readonly request: Request;
}

interface Outcome {
  /** Final answers to hold and resume, in order. */
  readonly answers: readonly (number | undefined)[];
  /** Who hears audio while it is held. */
  readonly heard: readonly string[];
  /** The keys that each end has got in the end. */
  readonly digits: Readonly<Record<Role, string>>;
  readonly problems: readonly string[];
}

const BEFORE = { caller: '1234', callee: '5678' };
const AFTER = { caller: '9*#0', callee: 'ABCD' };
const CALLS_AT_A_TIME = 12;

const EVENTS: LineEnd = {
  leg: { 'kpml-interworking': 'disabled', 'rfc2833-mode': 'preferred' },
  hasEvents: true,
  hasKpml: false,
};
const KPML: LineEnd = {
  leg: { 'kpml-interworking': 'enabled', 'rfc2833-mode': 'transparent' },
  hasEvents: false,
  hasKpml: true,
};

const HOLDERS = ['caller', 'callee'] as const;
const FORMS = ['sendonly', 'inactive', 'recvonly', 'nowhere'] as const;
const KEYS: Readonly<Record<string, Record<Role, LineEnd>>> = {
  'events - events': { caller: EVENTS, callee: EVENTS },
  'KPML - events': { caller: KPML, callee: EVENTS },
  'events - KPML': { caller: EVENTS, callee: KPML },
  'KPML - KPML': { caller: KPML, callee: KPML },
};
const REQUESTS = ['INVITE', 'late', 'UPDATE', 'glare'] as const;

const ROWS: readonly Row[] = REQUESTS.flatMap((request) =>
  Object.keys(KEYS).flatMap((keys) =>
    FORMS.flatMap((form) => HOLDERS.map((holder) => ({ holder, form, keys, request }))),
  ),
);

/** Who hears the other end during a hold; what a holder with c=0.0.0.0 still sends passes. */
const HEARD: Readonly<Record<HoldForm, readonly string[]>> = {
  sendonly: ['held'],
  inactive: [],
  recvonly: ['holder'],
  nowhere: ['held'],
};

const outcomes = new Map<Row, Outcome | Error>();
let lines: DigitLines | undefined;

checkLeaksAfterEach();

beforeAll(async () => {
  const opened = await DigitLines.open(ROWS.map(({ keys }) => endsFor(keys)));
  lines = opened;
  const waiting = ROWS.entries();
  const playNext = async (): Promise<void> => {
    for (const [index, row] of waiting) {
      outcomes.set(row, await play(opened, index, row).catch(asError));
    }
  };
  await Promise.all(Array.from({ length: CALLS_AT_A_TIME }, playNext));
}, 300_000);

afterAll(async () => {
  await lines?.close();
});

test.each(ROWS)('$holder holds by $request: $form, $keys', (row) => {
  const outcome = outcomes.get(row);
  if (outcome instanceof Error) throw outcome;

  expect(outcome).toEqual({
    answers: row.request === 'glare' ? [200, 200] : [200, 200, 200, 200],
    heard: row.request === 'glare' ? HEARD[row.form] : [...HEARD[row.form], ...HEARD[row.form]],
    digits: {
      caller: BEFORE.callee + AFTER.callee,
      callee: BEFORE.caller + AFTER.caller,
    },
    problems: [],
  });
});

function endsFor(keys: string): Record<Role, LineEnd> {
  const ends = KEYS[keys];
  if (ends === undefined) throw new Error(`nothing about ${keys}`);
  return ends;
}

async function play(stage: DigitLines, index: number, row: Row): Promise<Outcome> {
  const call = await stage.connect(index);
  const ends = {
    caller: new HoldingEnd(call.caller, 'caller'),
    callee: new HoldingEnd(call.callee, 'callee'),
  };
  await prepareKeys(call, endsFor(row.keys));
  await talk(call, BEFORE, 4);
  const holder = ends[row.holder];
  const held = ends[row.holder === 'caller' ? 'callee' : 'caller'];
  const answers: (number | undefined)[] = [];
  const heard: string[] = [];
  for (let round = 0; round < (row.request === 'glare' ? 1 : 2); round += 1) {
    answers.push(await hold(row, holder, held));
    heard.push(...(await whoHears(row.form, holder.call, held.call)));
    const request = row.request === 'glare' ? 'INVITE' : row.request;
    answers.push(statusOf(await holder.ask('sendrecv', request)));
    await Promise.all([audioAt(holder.call), audioAt(held.call)]);
  }
  await talk(call, AFTER, 8);
  const digits = { caller: keysAt(call.caller), callee: keysAt(call.callee) };
  await stage.finish(call);
  const problems = [call.caller, call.callee].flatMap((end) => [
    ...end.dialog.problems,
    ...unsteadyContacts(end),
  ]);
  return { answers, heard, digits, problems };
}

/** Puts the other end on hold; in a glare both ask at once, and whoever is refused asks again. */
async function hold(
  { form, request }: Row,
  holder: HoldingEnd,
  held: HoldingEnd,
): Promise<number | undefined> {
  if (request !== 'glare') return statusOf(await holder.ask(form, request));
  const [asked, crossing] = await Promise.all([
    holder.ask(form, 'INVITE'),
    held.ask('sendrecv', 'INVITE'),
  ]);
  if (holder.refused + held.refused === 0) throw new Error('the two requests did not meet');
  if (statusOf(crossing) !== 200) throw new Error(`the other one got ${crossing.startLine}`);
  return statusOf(asked);
}

async function prepareKeys(
  { caller, callee }: Connected,
  ends: Record<Role, LineEnd>,
): Promise<void> {
  await Promise.all([audioAt(caller), audioAt(callee)]);
  if (ends.caller === KPML) await caller.listener.listen();
  if (ends.callee === KPML) await callee.listener.listen();
  await Promise.all(
    HOLDERS.filter((role) => ends[role] === KPML).map((role) =>
      ({ caller, callee })[role].keypad.waitForSubscription(),
    ),
  );
}

/** Four keys both ways; resolves when `count` have arrived at either end since the call began. */
async function talk(
  { caller, callee }: Connected,
  keys: Record<Role, string>,
  count: number,
): Promise<void> {
  await Promise.all([
    caller.pressAnyWay(keys.caller),
    callee.pressAnyWay(keys.callee),
    keysArrived(caller, count),
    keysArrived(callee, count),
  ]);
}

async function keysArrived(end: LineCall, count: number): Promise<void> {
  if (end.localEventPayloadType === undefined) await end.listener.waitForDigits(count);
  else await end.waitForDigits(count);
}

function keysAt(end: LineCall): string {
  return end.localEventPayloadType === undefined ? end.listener.digits : end.digits;
}

async function whoHears(form: HoldForm, holder: LineCall, held: LineCall): Promise<string[]> {
  const hears = async (name: string, end: LineCall): Promise<string[]> => {
    if (!HEARD[form].includes(name)) return (await isSilentAt(end)) ? [] : [name];
    await audioAt(end);
    return [name];
  };
  return (await Promise.all([hears('held', held), hears('holder', holder)])).flat();
}

/** Contacts that the SBC changed in the dialog, and requests of the SBC to anywhere but the Contact of the end. */
function unsteadyContacts({ dialog }: LineCall): string[] {
  const strays = dialog.received
    .map(({ startLine }) => startLine.split(' ')[1] ?? '')
    .filter((uri) => uri !== dialog.ownContact);
  return [
    ...(dialog.contacts.size > 1 ? [`Contacts ${[...dialog.contacts].join(', ')}`] : []),
    ...strays.map((uri) => `a request to ${uri}`),
  ];
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
