/**
 *   alice ── SBC ── bob     fifty calls are up, five have ended
 *            kill -9
 *            start          fifty records of killed calls, five of ended ones, none twice
 */
import { expect, test } from 'vitest';
import { checkLeaksAfterEach } from '../support/leak-check.ts';
import { killAmidCalls } from '../support/killed-sbc.ts';

checkLeaksAfterEach();

test('each call has one record after the next start', async () => {
  const { open, ended, records, journalLeft } = await killAmidCalls(50);
  const causeOf = new Map(
    records.map(({ ingress, release }) => [ingress.sipCallId, release.internalCode]),
  );
  expect(records).toHaveLength(open.length + ended.length);
  expect(new Set(records.map(({ cdrId }) => cdrId)).size).toBe(records.length);
  expect(open.map((callId) => causeOf.get(callId))).toEqual(open.map(() => 'process-killed'));
  expect(ended.map((callId) => causeOf.get(callId))).toEqual(ended.map(() => 'hang-up'));
  expect(journalLeft).toBe('');
  const [killed] = records.filter(({ recovered }) => recovered !== undefined);
  expect(killed).toMatchObject({
    ingress: { agent: 'phone', codec: 'PCMU/8000' },
    egress: { agent: 'carrier', codec: 'PCMU/8000' },
    attempts: [{ agent: 'carrier', code: 200 }],
    numbers: { calledIn: '5551000', calledOut: '5551000', callerIn: 'alice' },
    release: { side: 'sbc', sipCode: 200, q850: 41, internalCode: 'process-killed' },
  });
  const { invite = '', answer = '', end = '' } = killed?.timestamps ?? {};
  const times = [invite, answer, end, killed?.recovered?.at ?? ''];
  expect(times.toSorted()).toEqual(times);
});
