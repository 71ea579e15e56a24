import { describe, expect, test } from 'vitest';
import {
  checkReply,
  checkSdpReply,
  type NgCommand,
  requestProblem,
} from '../../../../src/media/rtpengine/ng-result.ts';
import type { NgDictionary } from '../../../../src/media/rtpengine/rtpengine-node.ts';

const SDP = 'v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n';

type Row = readonly [string, NgCommand, unknown, string];

describe('answers', () => {
  const rows: readonly Row[] = [
    ['a pong', 'ping', { result: 'pong' }, 'ok'],
    ['an ok to a ping', 'ping', { result: 'ok' }, 'bad-answer: neither success nor error'],
    ['an ok', 'query', { result: 'ok' }, 'ok'],
    ['a pong to a query', 'query', { result: 'pong' }, 'bad-answer: neither success nor error'],
    [
      'a warning',
      'delete',
      { result: 'ok', warning: 'Call-ID not found' },
      'ok: Call-ID not found',
    ],
    ['no result', 'delete', {}, 'bad-answer: neither success nor error'],
    [
      'a result that is inherited',
      'delete',
      Object.create({ result: 'ok' }),
      'bad-answer: neither success nor error',
    ],
    ['a list', 'delete', ['ok'], 'bad-answer: no dictionary'],
    ['nothing', 'delete', undefined, 'bad-answer: no dictionary'],
    [
      'a load limit',
      'offer',
      { result: 'load limit', message: 'CPU usage limit exceeded' },
      'overload: CPU usage limit exceeded',
    ],
    ['a bare load limit', 'offer', { result: 'load limit' }, 'overload: load limit'],
    [
      'an error',
      'query',
      { result: 'error', 'error-reason': 'Unknown call-id' },
      'engine-error: Unknown call-id',
    ],
    [
      'an error without reason',
      'query',
      { result: 'error' },
      'engine-error: the engine gave no reason',
    ],
  ];
  test.each(rows)('%s to %s', (_what, command, answer, expected) => {
    expect(summary(checkReply(command, { type: 'answer', answer }))).toBe(expected);
  });
});

describe('refusals in the words of the engine', () => {
  test.each([
    ['Ran out of ports', 'no-ports'],
    ['Error allocating media ports', 'no-ports'],
    ['Parallel session limit reached', 'overload'],
    ['Load limit exceeded', 'overload'],
    ['Bandwidth limit exceeded', 'overload'],
    ['Unknown call-id', 'engine-error'],
    ['Invalid port in SDP', 'engine-error'],
    ['No SSRC context present for DTMF injection', 'engine-error'],
  ])('%s is %s', (words, reason) => {
    const result = checkReply('offer', { type: 'refused', reason: words });
    expect(result).toEqual({ type: 'failed', reason, detail: words });
  });

  test('keys are not repeated', () => {
    const reason = "Out of range 'code' specified: 77#*";
    const { detail } = failed(checkReply('play DTMF', { type: 'refused', reason }));
    expect(detail).toBe("Out of range 'code' specified: ????");
  });

  test('what cannot be printed or is long is not either', () => {
    const reason = `a\u001B[31mred\nline ${'x'.repeat(5000)}`;
    const { detail } = failed(checkReply('offer', { type: 'refused', reason }));
    expect(detail).toHaveLength(200);
    expect(detail).toMatch(/^a\?\[31mred\?line x+$/);
  });
});

describe('SDP of an answer', () => {
  test.each([
    ['readable', { result: 'ok', sdp: SDP }, 'ok'],
    ['missing', { result: 'ok' }, 'bad-answer: no SDP'],
    ['a number', { result: 'ok', sdp: 7 }, 'bad-answer: no SDP'],
    ['something else', { result: 'ok', sdp: 'hello' }, 'bad-answer: SDP that cannot be read'],
    [
      'not UTF-8',
      { result: 'ok', sdp: SDP.replace('4000', '\uFFFD') },
      'bad-answer: SDP that is not UTF-8',
    ],
    ['of a refused offer', { result: 'load limit', sdp: SDP }, 'overload: load limit'],
  ])('%s', (_what, answer, expected) => {
    expect(summary(checkSdpReply('offer', { type: 'answer', answer }))).toBe(expected);
  });

  test('a subject that is not UTF-8 is made readable', () => {
    const answer = { result: 'ok', sdp: SDP.replace('s=-', 's=\uFFFD') };
    const result = checkSdpReply('offer', { type: 'answer', answer });
    expect(result).toMatchObject({ type: 'ok', sdp: SDP.replace('s=-', 's=?') });
  });
});

describe('requests', () => {
  const rows: readonly (readonly [string, NgDictionary, string | undefined])[] = [
    ['text, numbers, lists, dictionaries', { a: 'b', c: 1, d: ['e', 2, { f: 'g' }] }, undefined],
    ['what is not there', { a: undefined }, undefined],
    ['a command', { command: 'delete' }, 'a request names its command itself'],
    ['a fraction', { duration: 1.5 }, 'duration is nothing the engine can read'],
    ['no number', { duration: Number.NaN }, 'duration is nothing the engine can read'],
    ['half a character', { flags: ['\uD83C'] }, 'flags is nothing the engine can read'],
  ];
  test.each(rows)('%s', (_what, request, problem) => {
    expect(requestProblem(request)).toBe(problem);
  });
});

function summary(result: ReturnType<typeof checkReply>): string {
  if (result.type === 'failed') return `${result.reason}: ${result.detail}`;
  return result.warning === undefined ? 'ok' : `ok: ${result.warning}`;
}

function failed(result: ReturnType<typeof checkReply>): { readonly detail: string } {
  if (result.type !== 'failed') throw new Error('it did not fail');
  return result;
}
