import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { send } from './invite-fixtures.ts';

describe('a callee that says no more than 100 or 180', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test('is cancelled three minutes after its last news, and counts as 408', () => {
    const { connection, log } = send();
    connection.last.goOut();
    vi.advanceTimersByTime(179_000);
    connection.last.answer(180, { To: '<sip:b@host>;tag=t' });
    vi.advanceTimersByTime(179_000);
    expect(connection.last.cancels).toEqual([]);
    vi.advanceTimersByTime(1000);
    expect(connection.last.cancels).toEqual([{}]);
    connection.last.answer(487);
    expect(log.at(-1)).toBe('failure 408 no answer in time');
  });

  test('and then answers after all is hung up', () => {
    const { connection, log } = send();
    const invite = connection.last;
    invite.goOut();
    vi.advanceTimersByTime(180_000);
    invite.answer(200, { To: '<sip:b@host>;tag=t', Contact: '<sip:b@host>' });
    expect(invite.acknowledgements).toEqual([undefined]);
    expect(log.at(-1)).toBe('failure 408 no answer in time');
  });
});
