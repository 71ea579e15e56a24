import { SipDialog } from '../../../src/sip/dialog.ts';
import { FakeSipConnection } from '../../support/fake-sip-connection.ts';

/** A confirmed dialog on a connection that remembers what was sent. */
export function openDialog(): { connection: FakeSipConnection; dialog: SipDialog } {
  const connection = new FakeSipConnection();
  const identity = {
    role: 'uac' as const,
    dialogId: 'dialog-a',
    callId: 'leg-a',
    localTag: 'ours',
    remoteTag: 'theirs',
    localContact: '<sip:us@sbc>',
  };
  const handler = {
    onRequest: () => undefined,
    onAck: () => undefined,
    onEnd: () => undefined,
    onTrace: () => undefined,
  };
  return { connection, dialog: new SipDialog(identity, connection, handler, () => undefined) };
}

/** Bodies made to hurt, with the status they are refused with. */
export const HOSTILE_BODIES: readonly (readonly [what: string, body: string, status: number])[] = [
  [
    'an entity bomb',
    '<!DOCTYPE k [<!ENTITY a "11111">' +
      Array.from({ length: 9 }, (_unused, i) => `<!ENTITY a${i} "${'&a;'.repeat(50)}">`).join('') +
      ']><k>&a8;</k>',
    400,
  ],
  ['a NUL', '<kpml-request>\0</kpml-request>', 400],
  ['two roots', '<kpml-request/><kpml-request/>', 400],
  ['deep nesting', '<a>'.repeat(5000), 400],
  ['100 000 numeric references', `<a>${'&#49;'.repeat(100_000)}</a>`, 413],
  ['1 MB', ' '.repeat(1_048_576), 413],
];

/** Runs `action` some times and gives the shortest time in ms, which is the machine's and not the scheduler's. */
export function shortestMs(action: () => void): number {
  const times = Array.from({ length: 5 }, () => {
    const startedAtMs = performance.now();
    action();
    return performance.now() - startedAtMs;
  });
  return Math.min(...times);
}
