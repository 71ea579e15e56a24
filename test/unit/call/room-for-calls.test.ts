import { expect, test } from 'vitest';
import { countConstrained } from '../../../src/call/room-for-calls.ts';
import { Metrics } from '../../../src/observe/metrics.ts';

test('agents that are passed over for their constraints are counted, others are not', async () => {
  const metrics = new Metrics();
  const skipped = [
    { agent: 'busy', reason: 'constrained (max-sessions)' },
    { agent: 'dead', reason: 'out-of-service (no-answer)' },
    { agent: 'shut', reason: 'locked (operator)' },
  ];
  countConstrained(skipped, metrics);
  const text = await metrics.text();
  const name = 'sbc_agent_constraint_rejections_total';
  expect(text.split('\n').filter((line) => line.startsWith(`${name}{`))).toEqual([
    `${name}{agent="busy",constraint="max-sessions"} 1`,
  ]);
});
