/**
 *   alice 127.0.0.2 ── [SBC with header-rules on both agents] ── bob 127.0.0.3
 *
 * Rules remove Subject, and X-Note where it says "secret", and let other X-Notes cross. However the headers are written,
 * in the INVITE of the one end or in the answer of the other, "secret" comes through nowhere.
 */

import { describe, expect, test } from 'vitest';
import { type CallStage, openCallStage, plainOffer } from '../support/call-stage.ts';
import { checkLeaksAfterEach } from '../support/leak-check.ts';
import { type Header, headerValues, type SipText, statusOf } from '../support/sip-text.ts';

checkLeaksAfterEach();

const RULES = `
      - { direction: in, action: remove, header: subject }
      - { direction: in, action: remove, header: X-NOTE, pattern: "secret" }
      - { direction: in, action: pass, header: x-note }
      - { direction: in, action: remove, header: User-to-User, if-header: X-Note, if-pattern: "^drop" }
      - { direction: in, action: replace, header: Priority, pattern: "^(ur)gent", value: "$1ban" }
      - { direction: out, action: add, header: X-Left, value: "rules: done", messages: requests }
      - { direction: out, action: add, header: X-Refused, value: "$1", response-codes: [ 4xx ] }
      - { direction: out, action: remove, header: Reason, methods: [ BYE ] }
`;

function openRuledStage(): Promise<CallStage> {
  return openCallStage({
    phoneLeg: { 'header-rules': RULES },
    carrierLeg: { 'header-rules': RULES },
  });
}

/** How each header is written on the wire, and what is read of X-Note at the other end; `undefined`: 400. */
const SPELLINGS: readonly (readonly [how: string, header: Header, notes?: readonly string[]])[] = [
  ['a space before the colon', ['Subject ', 'secret'], []],
  ['a tab before the colon', ['Subject\t', 'secret'], []],
  ['mixed case', ['sUbJeCt', 'secret'], []],
  ['the short form', ['s', 'secret'], []],
  ['the short form, upper case and spaces', ['S  ', 'secret'], []],
  ['a folded value', ['Subject', '\r\n secret'], []],
  ['a value folded by tab', ['Subject', 'x\r\n\tsecret'], []],
  ['folded by a bare LF', ['Subject', 'x\n secret'], []],
  ['behind a bare LF', ['Priority', 'normal\nSubject: secret'], []],
  ['twice', ['Subject', 'one\r\nSubject: secret\r\ns: secret'], []],
  ['no space behind the colon', ['Subject:secret\r\nX-Note', 'x'], ['x']],
  ['by value, mixed case and tab', ['x-NoTe\t', 'a secret'], []],
  ['by value, only in the second', ['X-Note', 'x\r\nX-Note: secret'], ['x']],
  ['by value, behind a fold', ['X-Note', 'x\r\n  secret'], []],
  ['by value, behind an empty line of white space', ['X-Note', 'x\r\n \r\n secret'], []],
  ['a value that is no secret', ['X-Note', 'se\r\n cret'], ['se cret']],
  ['an underscore for the hyphen', ['X_Note', 'secret'], []],
  ['a CR alone', ['X-Note', 'x\rSubject: secret']],
  ['a NUL', ['X-Note', 'x\0 secret']],
  ['a name with a space inside', ['X -Note', 'secret']],
  ['no name', ['', 'secret']],
];

/** Everything that `messages` hold but our own answers' names. */
function anySecret(messages: readonly { direction: string; text: string }[]): boolean {
  return messages.some(({ direction, text }) => direction === 'received' && /secret/i.test(text));
}

describe('however a header is written', () => {
  test('in a request', async () => {
    const { alice, bob, running } = await openRuledStage();
    const seen: [how: string, notes: readonly string[] | undefined][] = [];
    for (const [how, header, notes] of SPELLINGS) {
      const body = plainOffer(alice.sip);
      const call = alice.sip.invite({ to: '1', via: running.access, headers: [header], body });
      if (notes === undefined) {
        seen.push([how, statusOf(await call.finished()) === 400 ? undefined : ['accepted']]);
        continue;
      }
      const incoming = await bob.sip.nextCall();
      seen.push([how, headerValues(incoming.invite, 'X-Note')]);
      incoming.reject(486);
      await call.finished();
    }
    expect(seen).toEqual(SPELLINGS.map(([how, , notes]) => [how, notes]));
    expect(anySecret(bob.sip.log)).toBe(false);
  });

  test('in an answer', async () => {
    const { alice, bob, running } = await openRuledStage();
    const spellings = SPELLINGS.filter(([, , notes]) => notes !== undefined);
    const seen: [how: string, notes: readonly string[]][] = [];
    for (const [how, header] of spellings) {
      const body = plainOffer(alice.sip);
      const call = alice.sip.invite({ to: '1', via: running.access, body });
      const incoming = await bob.sip.nextCall();
      incoming.reject(486, { headers: [header] });
      seen.push([how, headerValues(await call.finished(), 'X-Note')]);
    }
    expect(seen).toEqual(spellings.map(([how, , notes]) => [how, notes]));
    expect(anySecret(alice.sip.log)).toBe(false);
  });
});

test('rules change, add and remove by message, and leave the rest alone', async () => {
  const { alice, bob, running } = await openRuledStage();
  const headers: Header[] = [
    ['Priority', 'urgent'],
    ['X-Note', 'drop it'],
    ['User-to-User', '00a1;encoding=hex'],
    ['X-Left', 'forged'],
  ];
  const body = plainOffer(alice.sip);
  const outgoing = alice.sip.invite({ to: '1', via: running.access, headers, body });
  const incoming = await bob.sip.nextCall();
  expect(shown(incoming.invite)).toEqual({
    priority: 'urban',
    note: 'drop it',
    left: 'rules: done',
  });

  const answered = incoming.answer({ body: plainOffer(bob.sip), headers: [['X-Note', 'ok']] });
  const dialog = await outgoing.answered();
  const bobDialog = await answered;
  expect(shown(outgoing.final)).toEqual({ note: 'ok' });

  bobDialog.handle('INFO', () => ({ status: 486 }));
  const refused = await dialog.request('INFO', { headers: [['User-to-User', '00a2']] });
  expect(shown(refused)).toEqual({ refused: '$1' });
  expect(shown(bobDialog.received.at(-1))).toEqual({ user: '00a2', left: 'rules: done' });

  await dialog.bye({
    headers: [
      ['Reason', 'Q.850;cause=16'],
      ['User-to-User', '00a3'],
    ],
  });
  await bobDialog.waitForEnd();
  expect(shown(bobDialog.received.at(-1))).toEqual({ user: '00a3', left: 'rules: done' });
});

const SHOWN = {
  priority: 'Priority',
  note: 'X-Note',
  user: 'User-to-User',
  left: 'X-Left',
  refused: 'X-Refused',
  reason: 'Reason',
} as const;

function shown(message: SipText | undefined): Record<string, string> {
  return Object.fromEntries(
    Object.entries(SHOWN).flatMap(([key, name]) => {
      const values = message === undefined ? [] : headerValues(message, name);
      return values.length === 0 ? [] : [[key, values.join(' | ')]];
    }),
  );
}
