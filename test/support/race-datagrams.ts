/** What happens to the messages of a racing end on their way: lost, held back, sent from other branches. */

import type { SipPeerOptions } from './sip-peer.ts';
import { headerValue, methodOf, statusOf } from './sip-text.ts';
import type { SipText } from './sip-text.ts';

const LOSS = 0.2;
const LATEST_MS = 250;
const TWICE = 0.1;

/** Sends a message some ms later, past all that is done with it here. */
export type Post = (message: SipText, delayMs: number) => void;

/** Loses every ACK of a 2xx. */
export function withoutAck(message: SipText): SipText | undefined {
  return isAckOf2xx(message) ? undefined : message;
}

/** Loses the first ACK of each dialog, so that what follows it comes first. */
export function losingFirstAck(): (message: SipText) => SipText | undefined {
  const seen = new Set<string>();
  return (message) => {
    const callId = headerValue(message, 'Call-ID') ?? '';
    if (!isAckOf2xx(message) || seen.has(callId)) return message;
    seen.add(callId);
    return undefined;
  };
}

/** The ACK of a refusal goes where its INVITE went. */
function isAckOf2xx(message: SipText): boolean {
  return (
    statusOf(message) === undefined && methodOf(message) === 'ACK' && hasContactTarget(message)
  );
}

/** Requests inside dialogs go to the SBC's Contact, those outside to the number that was dialled. */
function hasContactTarget({ startLine }: SipText): boolean {
  return !/^\S+ sips?:\d+@/.test(startLine);
}

/** Each further 18x of a call comes from another branch. */
export function forkingRings(): (message: SipText) => SipText {
  const rings = new Map<string, number>();
  return (message) => {
    if (statusOf(message) !== 180) return message;
    const callId = headerValue(message, 'Call-ID') ?? '';
    const count = rings.get(callId) ?? 0;
    rings.set(callId, count + 1);
    if (count === 0) return message;
    const headers = message.headers.map(([name, value]): readonly [string, string] =>
      name === 'To' ? [name, `${value}-branch${count}`] : [name, value],
    );
    return { ...message, headers };
  };
}

/** Loses a fifth of what is sent and of what arrives; `seed` says which. */
export function lossy(seed: number): SipPeerOptions {
  const random = pseudoRandom(seed);
  return {
    rewriteSent: (message) => (random() < LOSS ? undefined : message),
    losesReceived: () => random() < LOSS,
  };
}

/** Holds each message back for a while of its own, so that they overtake each other; a tenth comes twice. */
export function late(seed: number, post: Post): SipPeerOptions {
  const random = pseudoRandom(seed);
  return {
    rewriteSent: (message) => {
      const times = random() < TWICE ? 2 : 1;
      for (let copy = 0; copy < times; copy += 1) post(message, random() * LATEST_MS);
      return undefined;
    },
  };
}

/** Numbers from 0 up to 1, the same for the same seed (mulberry32). */
function pseudoRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
