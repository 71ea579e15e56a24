import { describe, expect, test } from 'vitest';
import {
  causeOfCancel,
  causeOfEnd,
  causeOfUnsentAnswer,
  endHeaders,
} from '../../../src/call/headers/end-headers.ts';
import { CALLER_HOST, type Field, legOf, request, rule } from './header-fixtures.ts';

const LEGS = { caller: legOf(CALLER_HOST, '10.1.1.254'), callee: legOf('10.2.2.2', '10.2.2.254') };

function bye(...fields: Field[]): Parameters<typeof causeOfEnd>[1] {
  return { by: 'peer', reason: 'raw', bye: request('BYE', ...fields) };
}

describe('the end of a dialog', () => {
  test.each([
    ['lost connection', { by: 'connection', reason: '' }, { name: 'engine-lost', by: 'sbc' }],
    ['engine, no reason', { by: 'engine', reason: '' }, { name: 'ack-timeout', by: 'sbc' }],
    [
      'engine, with one',
      { by: 'engine', reason: 'SIP;cause=200;text="ACK timeout"' },
      { name: 'ack-timeout', by: 'sbc', text: 'ACK timeout' },
    ],
    [
      'engine, session timer',
      { by: 'engine', reason: 'SIP;cause=200;text="Session timer expired"' },
      { name: 'session-expired', by: 'sbc', text: 'Session timer expired' },
    ],
    ['BYE', bye(), { name: 'hang-up', by: 'caller', headers: {} }],
    [
      'BYE with headers',
      bye(['Reason', 'Q.850;cause=16'], ['User-to-User', '00'], ['X-A', 'b']),
      {
        name: 'hang-up',
        by: 'caller',
        reason: 'Q.850;cause=16',
        headers: { 'User-to-User': '00' },
      },
    ],
    [
      'BYE that names the host of the caller',
      bye(['Reason', `SIP;text="${CALLER_HOST}"`]),
      { name: 'hang-up', by: 'caller', headers: {} },
    ],
  ] as const)('%s', (_name, end, cause) => {
    expect(causeOfEnd('caller', end, LEGS)).toEqual(cause);
  });

  test('before there is another leg tells nobody', () => {
    const cause = causeOfEnd('caller', bye(['Reason', 'Q.850;cause=16']), undefined);
    expect(cause).toEqual({ name: 'hang-up', by: 'caller' });
  });
});

test('a CANCEL has its Reason', () => {
  const cancel = request('CANCEL', ['Reason', 'SIP;cause=200']);
  const cause = { name: 'caller-cancelled', by: 'caller', headers: {} };
  expect(causeOfCancel(cancel, LEGS)).toEqual({ ...cause, reason: 'SIP;cause=200' });
  expect(causeOfCancel(undefined, LEGS)).toEqual({ name: 'caller-cancelled', by: 'caller' });
});

test('the other leg hears the reason, ours where there is none, after its rules', () => {
  const cause = { name: 'hang-up', by: 'caller', headers: { 'User-to-User': '00' } } as const;
  expect(endHeaders(cause, LEGS.callee, 'BYE')).toEqual({
    'User-to-User': '00',
    Reason: 'Q.850;cause=16;text="hung up"',
  });
  const rules = [rule('remove', 'Reason', { direction: 'out', methods: ['BYE'] })];
  const ruled = legOf('10.2.2.2', '10.2.2.254', { rules });
  expect(endHeaders({ ...cause, reason: 'SIP;cause=200' }, ruled, 'BYE')).toEqual({
    'User-to-User': '00',
  });
  expect(endHeaders({ ...cause, reason: 'x' }, ruled, 'CANCEL')['Reason']).toBe('x');
});

test.each([
  ['connection-lost', { name: 'engine-lost', by: 'sbc' }],
  ['cancelled', { name: 'caller-cancelled', by: 'caller', text: 'cancelled' }],
])('a 200 that did not leave, %s', (reason, cause) => {
  expect(causeOfUnsentAnswer(reason)).toEqual(cause);
});
