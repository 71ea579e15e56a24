import { describe, expect, test } from 'vitest';
import {
  type EndCause,
  reasonHeader,
  resultOf,
  resultOfRefusal,
  verdictOf,
} from '../../../src/call/end-cause.ts';

describe('the result of a call', () => {
  test.each<[EndCause, boolean, string]>([
    [{ name: 'hang-up', by: 'caller' }, true, 'answered'],
    [{ name: 'operator', by: 'sbc' }, true, 'answered'],
    [{ name: 'operator', by: 'sbc' }, false, 'failed'],
    [{ name: 'media-lost', by: 'sbc' }, true, 'failed'],
    [{ name: 'caller-cancelled', by: 'caller' }, false, 'cancelled'],
    [{ name: 'no-route', by: 'sbc' }, false, 'rejected'],
    [{ name: 'address-incomplete', by: 'sbc' }, false, 'rejected'],
    [{ name: 'callee-refused', by: 'callee', status: 486 }, false, 'busy'],
    [{ name: 'callee-refused', by: 'callee', status: 404 }, false, 'rejected'],
  ])('of %j, answered: %s, is %s', (cause, wasAnswered, result) => {
    expect(resultOf(cause, wasAnswered)).toBe(result);
  });

  test.each([
    [486, 'busy'],
    [600, 'busy'],
    [408, 'no-answer'],
    [480, 'no-answer'],
    [487, 'cancelled'],
    [404, 'rejected'],
    [603, 'rejected'],
    [302, 'rejected'],
    [500, 'failed'],
    [503, 'failed'],
  ])('of an attempt refused with %i is %s', (status, result) => {
    expect(resultOfRefusal(status)).toBe(result);
  });
});

test('a verdict takes status and text from the cause where it brings them', () => {
  expect(verdictOf({ name: 'no-route', by: 'sbc' })).toMatchObject({ status: 404, q850: 3 });
  expect(verdictOf({ name: 'address-incomplete', by: 'sbc' })).toMatchObject({
    status: 484,
    q850: 28,
  });
  const refused = verdictOf({ name: 'callee-refused', by: 'callee', status: 603, text: 'No' });
  expect(refused).toMatchObject({ status: 603, text: 'No' });
});

test('the Reason header quotes no peer: the own text, or the header that came', () => {
  const quoting: EndCause = { name: 'bad-answer', by: 'sbc', text: 'o=x 1 1 IN IP4 10.0.0.1' };
  expect(reasonHeader(quoting)).toBe('Q.850;cause=88;text="unusable answer"');
  const given: EndCause = { name: 'hang-up', by: 'caller', reason: 'SIP;cause=200' };
  expect(reasonHeader(given)).toBe('SIP;cause=200');
});
