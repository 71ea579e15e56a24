/** The messages that the SBC sent to each end, each beside the one of the other end that it came of. */
import { otherSide, type Side } from '../wire/side.ts';
import { parseCSeq } from '../wire/sip-headers.ts';
import { getHeader, parseSipMessage, type SipMessage } from '../wire/sip-message.ts';
import { headerChanges } from './header-changes.ts';
import { diffLines } from './line-diff.ts';
import { placeName, type SipPassage } from './memory-network.ts';
import type { SeenMessage } from './report.ts';

/** A message on the network, and which end it is of. */
export interface RecordedPassage {
  readonly atMs: number;
  readonly passage: SipPassage;
  /** The end that sent or got it. */
  readonly side: Side;
  /** `out`: the SBC sent it. */
  readonly direction: 'in' | 'out';
}

interface Arrived {
  readonly recorded: RecordedPassage;
  readonly message: SipMessage;
  readonly what: string;
}

/** What the ends received, in order. */
export function seenMessages(
  recorded: readonly RecordedPassage[],
): Record<Side, readonly SeenMessage[]> {
  const seen: Record<Side, SeenMessage[]> = { caller: [], callee: [] };
  /** Messages of each end that none of the other side has come of yet. */
  const open: Record<Side, Arrived[]> = { caller: [], callee: [] };
  for (const passage of recorded) {
    const message = parseSipMessage(passage.passage.bytes);
    const arrived = { recorded: passage, message, what: whatOf(message) };
    const { side, direction } = passage;
    if (direction === 'in') open[side].push(arrived);
    else seen[side].push(seenMessage(arrived, takeCause(open[otherSide(side)], arrived)));
  }
  return seen;
}

/** `INVITE`, `200 INVITE`. */
export function whatOf(message: SipMessage): string {
  if (message.type === 'request') return message.method;
  return `${message.status} ${parseCSeq(getHeader(message, 'CSeq') ?? '0 -').method}`;
}

/** One INVITE may go to several places, and then stays open; everything else crosses once. */
function takeCause(open: Arrived[], { what }: Arrived): Arrived | undefined {
  const index = open.findLastIndex((candidate) => candidate.what === what);
  if (index < 0) return undefined;
  return what === 'INVITE' ? open[index] : open.splice(index, 1)[0];
}

function seenMessage(
  { recorded, message, what }: Arrived,
  cause: Arrived | undefined,
): SeenMessage {
  const { atMs, passage, side } = recorded;
  const from = otherSide(side);
  return {
    atMs,
    place: placeName(passage.to),
    startLine: startLineOf(message),
    what,
    text: passage.bytes.toString(),
    cause: cause && { from, startLine: startLineOf(cause.message) },
    headers: headerChanges(cause?.message, message),
    sdp: diffLines(sdpLines(cause?.message), sdpLines(message)),
  };
}

function startLineOf(message: SipMessage): string {
  return message.type === 'request'
    ? `${message.method} ${message.uri}`
    : `${message.status} ${message.reason} (${whatOf(message).split(' ')[1] ?? ''})`;
}

function sdpLines(message: SipMessage | undefined): string[] {
  const text = message?.body.toString() ?? '';
  return text.startsWith('v=0') ? text.trimEnd().split(/\r?\n/) : [];
}
