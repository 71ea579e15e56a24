/** How the media part of an explanation reads in a terminal. */
import type { DirectionPlan, InterworkingPlan } from '../dtmf/interworking-plan.ts';
import type { Side } from '../wire/side.ts';
import type { MediaExplanation } from './explain-media.ts';

/** Text that ends with a line feed. */
export function formatMedia(media: MediaExplanation): string {
  if (media.type === 'none') return `${media.hint}\n`;
  if (media.type === 'unreadable') return `${media.message}\n`;
  if (media.type === 'badSdp') return `the SDP would be refused with 488: ${media.message}\n`;
  const { offer, answer, plan } = media;
  const parts = [formatMessage('INVITE to the callee', offer.sdp, offer.decision)];
  if (answer !== undefined) {
    parts.push(formatMessage('answer to the caller', answer.sdp, answer.decision));
  }
  parts.push(plan === undefined ? 'give --answer to see which digits cross\n' : formatPlan(plan));
  return parts.join('\n');
}

interface Decision {
  readonly allowEvents: string;
  readonly row: string;
  readonly rule: string;
  readonly reason: string;
}

function formatMessage(title: string, sdp: string | undefined, decision: Decision): string {
  const { allowEvents, row, rule, reason } = decision;
  const lines = [
    title,
    `  row ${row}, rule ${rule}: ${reason}`,
    `  Allow-Events: ${allowEvents}`,
    ...(sdp ?? '(no SDP)')
      .trimEnd()
      .split('\r\n')
      .map((line) => `    ${line}`),
  ];
  return `${lines.join('\n')}\n`;
}

/** What carries the digits of each direction, and why; ends with a line feed. */
export function formatPlan(plan: InterworkingPlan): string {
  const lines = [
    formatDirection('caller to callee', plan.callerToCallee),
    formatDirection('callee to caller', plan.calleeToCaller),
    `we subscribe to: ${listOf(plan.subscribeTo)}; we answer a SUBSCRIBE of: ${listOf(plan.acceptSubscribeFrom)}; relayed is one of: ${listOf(plan.relaySubscribeFrom)}`,
  ];
  return `${lines.join('\n')}\n`;
}

function formatDirection(title: string, plan: DirectionPlan): string {
  const notify = plan.alsoNotify ? ' and NOTIFY' : '';
  const head = `digits ${title}: ${plan.translator}${notify} (row ${plan.row}, rule ${plan.rule})`;
  const change = plan.wouldCross === undefined ? '' : `\n  to make them cross: ${plan.wouldCross}`;
  return `${head}\n  ${plan.reason}${change}`;
}

function listOf(sides: readonly Side[]): string {
  return sides.length === 0 ? 'nobody' : sides.join(', ');
}
