/** What the console says: every reason that the SBC can give has words. */

import { describe, expect, test } from 'vitest';
import { DIGIT_DROP_REASONS } from '../../../../src/observe/digit-ledger.ts';

interface DigitWords {
  readonly dropWords: (reason: string) => { readonly what: string; readonly help: string };
  readonly fateOf: (record: object) => string;
}

interface AgentWords {
  readonly agentReason: (reason: string) => string;
  readonly agentState: (state: string) => { readonly text: string; readonly tone: string };
}

/** The scripts of the page are no part of the types of the program. */
async function script<T>(name: string): Promise<T> {
  return await import(new URL(`../../../../src/api/console/${name}`, import.meta.url).href);
}

describe('digits', async () => {
  const { dropWords, fateOf } = await script<DigitWords>('digit-words.js');

  test.each(DIGIT_DROP_REASONS)('%s is explained, with what to do about it', (reason) => {
    const { what, help } = dropWords(reason);
    expect(what).toMatch(/^[A-Z].+\.$/);
    expect(help).toMatch(/^[A-Z].+[.?]$/);
  });

  test('a reason of a newer SBC is shown as it is', () => {
    expect(dropWords('never-heard')).toEqual({ what: 'never-heard', help: '' });
  });

  test.each([
    ['delivered', { outputs: [{ type: 'relay' }] }],
    ['delivered', { outputs: [{ type: 'notify', status: 200 }], dropped: 'queue-full' }],
    ['pending', { outputs: [] }],
    ['pending', { outputs: [{ type: 'notify', status: 481 }] }],
    ['dropped', { outputs: [{ type: 'notify', status: 408 }], dropped: 'notify-failed' }],
  ])('%s: %j', (fate, record) => {
    expect(fateOf(record)).toBe(fate);
  });
});

describe('agents', async () => {
  const { agentReason, agentState } = await script<AgentWords>('agent-words.js');

  test.each([
    ['answers', 'answers OPTIONS'],
    ['operator', 'by an operator'],
    ['max-sessions', 'as many calls as max-sessions allows'],
    ['max-burst-rate', 'more calls per second than its burst rate allows'],
    ['max-inbound-sustain-rate', 'more inbound calls per second than its sustain rate allows'],
    ['never-heard', 'never-heard'],
  ])('%s: %s', (reason, words) => {
    expect(agentReason(reason)).toBe(words);
  });

  test.each(['in-service', 'constrained', 'out-of-service', 'locked'])('%s has a tone', (state) => {
    expect(agentState(state).text).toBe(state.replaceAll('-', ' '));
  });
});
