import { expect, test } from 'vitest';
import { configOf, problemLines, SAMPLE } from './sample.ts';

test('every limit has a default', () => {
  expect(configOf(SAMPLE).sip.limits).toEqual({
    messageBytes: 65_535,
    headerBytes: 16_384,
    pendingTransactions: 10_000,
    streamConnections: 4096,
    streamConnectionsPerSource: 64,
    streamIdleTimeoutMs: 900_000,
    source: { perSecond: 200, burst: 1000 },
    agent: { perSecond: 1000, burst: 4000 },
    strangers: { perSecond: 400, burst: 2000 },
  });
});

test('one that is written stands beside the defaults of the others', () => {
  const text = `sip: { limits: { stream-idle-timeout: 90s, source-per-second: 0 } }\n${SAMPLE}`;
  expect(configOf(text).sip.limits).toMatchObject({
    streamIdleTimeoutMs: 90_000,
    source: { perSecond: 0, burst: 1000 },
    agent: { perSecond: 1000 },
  });
});

test.each([
  ['message-bytes: 100', 'no whole number from 2048 to 1048576'],
  ['source-burst: 0', 'no whole number from 1 to'],
  ['stream-idle-timeout: 900', 'no duration'],
  ['source-per-secnd: 5', 'did you mean "source-per-second"'],
])('%s is refused', (line, problem) => {
  const problems = problemLines(`sip: { limits: { ${line} } }\n${SAMPLE}`);
  expect(problems).toEqual([expect.stringContaining(problem)]);
});
