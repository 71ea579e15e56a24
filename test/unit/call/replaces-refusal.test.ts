import { expect, test } from 'vitest';
import { replacesRefusal } from '../../../src/call/replaces-refusal.ts';
import type { DialogIdentity } from '../../../src/sip/dialog.ts';
import type { SipMessage } from '../../../src/wire/sip-message.ts';

const DIALOGS = [
  { callId: 'one@us', localTag: 'ours', remoteTag: 'theirs' },
  { callId: 'two@us', localTag: 'mine', remoteTag: 'yours' },
].map((names): DialogIdentity => ({
  role: 'uas',
  dialogId: '',
  localContact: undefined,
  ...names,
}));

function inviteWith(...values: readonly string[]): SipMessage {
  const headers = values.map((value) => ({ name: 'Replaces', value }));
  return { type: 'request', method: 'INVITE', uri: 'sip:a@b', headers, body: Buffer.alloc(0) };
}

test.each<[values: string[], status: number | undefined]>([
  [[], undefined],
  [['one@us;to-tag=ours;from-tag=theirs'], 403],
  [['two@us ; from-tag=yours;TO-TAG=mine;early-only'], 403],
  [['one@us;to-tag=theirs;from-tag=ours'], 481],
  [['one@us;to-tag=mine;from-tag=yours'], 481],
  [['three@us;to-tag=ours;from-tag=theirs'], 481],
  [['one@us;to-tag=ours'], 400],
  [['one@us'], 400],
  [[''], 400],
  [[';to-tag=ours;from-tag=theirs'], 400],
  [['one@us;to-tag="ours;from-tag=theirs'], 400],
  [['one@us;to-tag=ours;from-tag=theirs', 'two@us;to-tag=mine;from-tag=yours'], 400],
])('Replaces %j: %s', (values, status) => {
  expect(replacesRefusal(inviteWith(...values), DIALOGS)).toBe(status);
});
