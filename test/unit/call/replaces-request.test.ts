import { expect, test } from 'vitest';
import { Loan } from '../../../src/call/transfer/loan.ts';
import { readReplaces } from '../../../src/call/transfer/replaces-request.ts';
import type { LendingCall, NamedLeg } from '../../../src/call/transfer/transfer-host.ts';
import type { Replaces } from '../../../src/wire/replaces.ts';
import type { SipMessage } from '../../../src/wire/sip-message.ts';

const CALL: LendingCall = {
  id: 'call',
  isTalking: true,
  session: undefined,
  renegotiation: undefined,
  end: () => undefined,
  loan: new Loan(),
};

const LEG: NamedLeg = { call: CALL, side: 'caller' };
const RINGING: NamedLeg = { call: { ...CALL, isTalking: false }, side: 'caller' };

function find({ callId, localTag, remoteTag }: Replaces): NamedLeg | undefined {
  const name = `${callId} ${localTag} ${remoteTag}`;
  if (name === 'one@us ours theirs') return LEG;
  return name === 'two@us ours theirs' ? RINGING : undefined;
}

function inviteWith(values: readonly string[]): SipMessage {
  const headers = values.map((value) => ({ name: 'Replaces', value }));
  return { type: 'request', method: 'INVITE', uri: 'sip:a@b', headers, body: Buffer.alloc(0) };
}

const ONE = 'one@us;to-tag=ours;from-tag=theirs';

test.each<[values: string[], whenEnabled: number | 'leg' | 'none', otherwise: number | 'none']>([
  [[], 'none', 'none'],
  [[ONE], 'leg', 403],
  [['one@us ; from-tag=theirs;TO-TAG=ours'], 'leg', 403],
  [[`${ONE};early-only`], 486, 403],
  [['two@us;to-tag=ours;from-tag=theirs'], 481, 403],
  [['one@us;to-tag=theirs;from-tag=ours'], 481, 481],
  [['three@us;to-tag=ours;from-tag=theirs'], 481, 481],
  [['one@us;to-tag=ours'], 400, 400],
  [['one@us'], 400, 400],
  [[''], 400, 400],
  [[';to-tag=ours;from-tag=theirs'], 400, 400],
  [['one@us;to-tag="ours;from-tag=theirs'], 400, 400],
  [[ONE, ONE], 400, 400],
])('Replaces %j: %s when it is enabled, %s when not', (values, whenEnabled, otherwise) => {
  const invite = inviteWith(values);
  const outcomes = [true, false].map((isEnabled) => {
    const request = readReplaces(invite, { isEnabled, find });
    if (request.type === 'replace') return request.leg === LEG ? 'leg' : 'another leg';
    return request.type === 'none' ? 'none' : request.status;
  });

  expect(outcomes).toEqual([whenEnabled, otherwise]);
});
