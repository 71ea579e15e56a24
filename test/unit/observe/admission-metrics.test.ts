import { expect, test } from 'vitest';
import { Metrics } from '../../../src/observe/metrics.ts';

/** The lines of one metric, its comments left out. */
async function linesOf(metrics: Metrics, name: string): Promise<string[]> {
  const text = await metrics.text();
  return text.split('\n').filter((line) => line.startsWith(name));
}

test('an agent has 1 in its state and 0 in the others, and goes with the configuration', async () => {
  const metrics = new Metrics();
  const states = ['in-service', 'locked'];
  const one = { agent: 'one', isUp: true, state: 'locked' };
  metrics.admission.agents([one, { agent: 'two', isUp: false, state: 'in-service' }], states);
  expect(await linesOf(metrics, 'sbc_agent_')).toEqual([
    'sbc_agent_up{agent="one"} 1',
    'sbc_agent_up{agent="two"} 0',
    'sbc_agent_state{agent="one",state="in-service"} 0',
    'sbc_agent_state{agent="one",state="locked"} 1',
    'sbc_agent_state{agent="two",state="in-service"} 1',
    'sbc_agent_state{agent="two",state="locked"} 0',
  ]);
  metrics.admission.agents([one], states);
  expect(await linesOf(metrics, 'sbc_agent_up')).toEqual(['sbc_agent_up{agent="one"} 1']);
});

test('every reason is there from the start', async () => {
  const metrics = new Metrics();
  metrics.admission.rejected('overload');
  metrics.admission.denied('denied');
  metrics.admission.overloaded(true);
  expect(await linesOf(metrics, 'sbc_admission_rejections_total')).toEqual([
    'sbc_admission_rejections_total{reason="draining"} 0',
    'sbc_admission_rejections_total{reason="overload"} 1',
    'sbc_admission_rejections_total{reason="total-constraint"} 0',
    'sbc_admission_rejections_total{reason="interface-constraint"} 0',
    'sbc_admission_rejections_total{reason="agent-constraint"} 0',
  ]);
  expect(await linesOf(metrics, 'sbc_acl_denied_total')).toEqual([
    'sbc_acl_denied_total{rule="denied"} 1',
    'sbc_acl_denied_total{rule="unknown-source"} 0',
  ]);
  expect(await linesOf(metrics, 'sbc_overloaded')).toEqual(['sbc_overloaded 1']);
  const pace = 'sbc_overload_calls_per_second';
  expect(await linesOf(metrics, pace)).toEqual([`${pace} +Inf`]);
  metrics.admission.paced(120);
  expect(await linesOf(metrics, pace)).toEqual([`${pace} 120`]);
});

test('the answer time of OPTIONS is in seconds', async () => {
  const metrics = new Metrics();
  metrics.admission.optionsAnswered('one', 250);
  metrics.admission.agentConstrained('one', 'max-sessions');
  expect(await linesOf(metrics, 'sbc_agent_options_rtt_seconds_sum')).toEqual([
    'sbc_agent_options_rtt_seconds_sum{agent="one"} 0.25',
  ]);
  expect(await linesOf(metrics, 'sbc_agent_constraint')).toEqual([
    'sbc_agent_constraint_rejections_total{agent="one",constraint="max-sessions"} 1',
  ]);
});
