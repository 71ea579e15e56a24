/** The views of the API as tables for people. */
import type {
  AgentView,
  CallView,
  DirectionPlanView,
  LegView,
  SubscriptionView,
} from '../api/backend.ts';
import type { DigitOutputRecord, DigitRecord } from '../observe/digit-ledger.ts';
import { formatTable } from './table.ts';

const MS_PER_SECOND = 1_000;
const SECONDS_PER_MINUTE = 60;

export function formatCalls(calls: readonly CallView[], nowMs: number): string {
  const rows = calls.map((call) => [
    call.id,
    call.state,
    formatAge(nowMs - Date.parse(call.startedAt)),
    peerOf(call.legs.caller),
    call.legs.callee === undefined ? '-' : peerOf(call.legs.callee),
    translatorOf(call.plan?.callerToCallee),
    translatorOf(call.plan?.calleeToCaller),
    `${call.digits.delivered}/${call.digits.presses}`,
  ]);
  const headings = ['CALL', 'STATE', 'AGE', 'CALLER', 'CALLEE', 'TO CALLEE', 'TO CALLER', 'DIGITS'];
  return formatTable(headings, rows) || 'no calls\n';
}

/** Calls that have ended, newest first. */
export function formatEndedCalls(calls: readonly CallView[]): string {
  const rows = calls.map((call) => [
    call.id,
    call.startedAt,
    formatAge(Date.parse(call.endedAt ?? call.startedAt) - Date.parse(call.startedAt)),
    call.from,
    call.to,
    peerOf(call.legs.caller),
    call.legs.callee === undefined ? '-' : peerOf(call.legs.callee),
    call.end === undefined ? '-' : `${call.end.code} (${call.end.sipCode}) by ${call.end.side}`,
    `${call.digits.delivered}/${call.digits.presses}`,
  ]);
  const times = ['CALL', 'STARTED', 'LASTED'];
  const headings = [...times, 'FROM', 'TO', 'CALLER', 'CALLEE', 'END', 'DIGITS'];
  return formatTable(headings, rows) || 'no calls\n';
}

/** One call: its legs side by side, then what digits do in each direction and why. */
export function formatCall(call: CallView): string {
  const { caller, callee } = call.legs;
  const compare = (name: string, pick: (leg: LegView) => string | undefined): string[] => [
    name,
    pick(caller) ?? '-',
    (callee && pick(callee)) ?? '-',
  ];
  const media = (name: string, pick: 'receivedPackets' | 'sentPackets' | 'lostPackets') =>
    call.media === undefined
      ? []
      : [[name, String(call.media.caller[pick]), String(call.media.callee[pick])]];
  const legs = formatTable(
    ['', 'CALLER', 'CALLEE'],
    [
      compare('agent', (leg) => leg.agent),
      compare('interface', (leg) => leg.interface),
      compare('realm', (leg) => leg.realm),
      compare('remote', (leg) => leg.remote),
      compare('Call-ID', (leg) => leg.sipCallId),
      compare('local tag', (leg) => leg.localTag),
      compare('remote tag', (leg) => leg.remoteTag),
      compare('codec', (leg) => leg.codec),
      compare('SDP', (leg) => leg.sdpSummary),
      compare('session', (leg) => sessionOf(leg)),
      ...media('received', 'receivedPackets'),
      ...media('sent', 'sentPackets'),
      ...media('lost', 'lostPackets'),
    ],
  );
  const { presses, delivered, dropped, pending } = call.digits;
  const ended =
    call.end === undefined
      ? ''
      : `, ended ${call.endedAt ?? ''}: ${call.end.code} (${call.end.sipCode}) by ${call.end.side}, ${call.end.text}`;
  const numbers = `from ${call.from || '-'} to ${call.to || '-'}`;
  const state = `call ${call.id}: ${call.state}, started ${call.startedAt}${ended}`;
  const head = `${`${state}\n${numbers}`.replaceAll(/[^\P{Cc}\n]/gu, '·')}\n\n`;
  const digits = `digits: ${presses} pressed, ${delivered} delivered, ${dropped} dropped, ${pending} pending\n`;
  return `${head}${legs}\n${formatPlan(call)}${digits}`;
}

/** The session timer of a leg and who refreshes, if it has one. */
function sessionOf({ sessionTimer }: LegView): string | undefined {
  return sessionTimer && `${sessionTimer.intervalSeconds}s by ${sessionTimer.refresher}`;
}

export function formatDigits(digits: readonly DigitRecord[]): string {
  const rows = digits.map((digit) => [
    new Date(digit.atMs).toISOString(),
    digit.callId,
    digit.direction,
    digit.digit,
    digit.source.type === 'rtp'
      ? `rtp ${digit.source.rtpTimestamp}`
      : `${digit.source.type} ${digit.source.cseq}`,
    digit.outputs.map(formatOutput).join(', ') || '-',
    longest(digit.outputs, 'latencyMs'),
    longest(digit.outputs, 'answerMs'),
    digit.dropped ?? '-',
  ]);
  const press = ['TIME', 'CALL', 'DIRECTION', 'DIGIT', 'FROM'];
  const headings = [...press, 'TO', 'SENT MS', 'ANSWERED MS', 'DROPPED'];
  return formatTable(headings, rows) || 'no digits\n';
}

export function formatAgents(agents: readonly AgentView[]): string {
  const rows = agents.map((agent) => [
    agent.name,
    agent.realm,
    agent.address,
    agent.transport,
    agent.state,
    agent.reason,
    agent.since,
    agent.lastPing === undefined ? '-' : String(agent.lastPing.status ?? 'none'),
    agent.lastPing?.rttMs === undefined ? '-' : agent.lastPing.rttMs.toFixed(1),
    agent.maxSessions === 0
      ? String(agent.activeSessions)
      : `${agent.activeSessions}/${agent.maxSessions}`,
  ]);
  const identity = ['AGENT', 'REALM', 'ADDRESS', 'TRANSPORT'];
  const headings = [...identity, 'STATE', 'REASON', 'SINCE', 'OPTIONS', 'RTT MS', 'SESSIONS'];
  return formatTable(headings, rows) || 'no agents\n';
}

export function formatSubscriptions(subscriptions: readonly SubscriptionView[]): string {
  const rows = subscriptions.map((subscription) => [
    subscription.callId,
    subscription.leg,
    subscription.role,
    subscription.kind,
    subscription.eventId || '-',
    subscription.state,
    subscription.expiresInSeconds === undefined ? '-' : `${subscription.expiresInSeconds}s`,
  ]);
  const headings = ['CALL', 'LEG', 'ROLE', 'KIND', 'EVENT ID', 'STATE', 'EXPIRES'];
  return formatTable(headings, rows) || 'no subscriptions\n';
}

function formatPlan({ plan }: CallView): string {
  if (plan === undefined) return '';
  const directions = [
    ['caller to callee', plan.callerToCallee],
    ['callee to caller', plan.calleeToCaller],
  ] as const;
  const lines = directions.map(([name, direction]) => {
    const { row, reason, wouldCross, isOnHold } = direction;
    const cure = wouldCross === undefined ? '' : `\n    would cross if: ${wouldCross}`;
    const hold = isOnHold === true ? '\n    on hold: digits that would go as RTP are dropped' : '';
    return `${name}: ${translatorOf(direction)} (${row})\n    ${reason}${cure}${hold}\n`;
  });
  return `${lines.join('')}\n`;
}

function translatorOf(direction: DirectionPlanView | undefined): string {
  if (direction === undefined) return '-';
  return direction.alsoNotify ? `${direction.translator}+kpml` : direction.translator;
}

function peerOf(leg: LegView): string {
  return leg.agent ?? leg.remote;
}

function formatOutput(output: DigitOutputRecord): string {
  if (output.type === 'relay') return 'relay';
  if (output.type === 'rtp') return `rtp ${output.rtpTimestamp}`;
  return `${output.type} ${output.cseq ?? '?'} (${output.status})`;
}

/** From the press; of several outputs the one that took longest. */
function longest(outputs: readonly DigitOutputRecord[], name: 'latencyMs' | 'answerMs'): string {
  const times = outputs.flatMap((output) => {
    if (output.type === 'relay') return [];
    const { latencyMs, answerMs } = { answerMs: undefined, ...output };
    return { latencyMs, answerMs }[name] ?? [];
  });
  return times.length === 0 ? '-' : Math.max(...times).toFixed(1);
}

/** `0:07`, `12:34`, `480:00`: minutes and seconds. */
function formatAge(ageMs: number): string {
  const ageSeconds = Math.max(0, Math.floor(ageMs / MS_PER_SECOND));
  const seconds = String(ageSeconds % SECONDS_PER_MINUTE).padStart(2, '0');
  return `${Math.floor(ageSeconds / SECONDS_PER_MINUTE)}:${seconds}`;
}
