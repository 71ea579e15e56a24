/** What is known of a session agent, in words. */

export const AGENT_STATES = {
  'in-service': { text: 'in service', tone: 'good' },
  constrained: { text: 'constrained', tone: 'warn' },
  'out-of-service': { text: 'out of service', tone: 'bad' },
  locked: { text: 'locked', tone: 'off' },
};

export function agentState(state) {
  return AGENT_STATES[state] ?? { text: state, tone: 'off' };
}

const REASONS = {
  started: 'nothing is known yet, which counts as good',
  answers: 'answers OPTIONS',
  'not-probed': 'not probed: no options-ping is configured',
  'no-answer': 'does not answer',
  'transport-error': 'cannot be reached',
  'failure-code': 'answers with a failure code',
  operator: 'by an operator',
  'max-sessions': 'as many calls as max-sessions allows',
  'max-inbound-sessions': 'as many inbound calls as allowed',
  'max-outbound-sessions': 'as many outbound calls as allowed',
};

const RATE = /^max-(?:(inbound|outbound)-)?(burst|sustain)-rate$/;

export function agentReason(reason) {
  const known = REASONS[reason];
  if (known !== undefined) return known;
  const [, direction, kind] = RATE.exec(reason) ?? [];
  if (kind === undefined) return reason;
  return `more ${direction === undefined ? '' : `${direction} `}calls per second than its ${kind} rate allows`;
}

/** `200, 1.2 ms`. */
export function pingText({ status, rttMs }) {
  if (status === undefined) return 'no answer';
  return rttMs === undefined
    ? String(status)
    : `${status}, ${rttMs.toFixed(rttMs < 10 ? 1 : 0)} ms`;
}
