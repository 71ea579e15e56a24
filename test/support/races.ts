/**
 * The races that hurt B2BUAs: what both ends of each call do, and how its record may say that it ended.
 * Delays are a fixed function of the call's number, so that a run can be repeated.
 */

import type { IncomingCall } from './sip-calls.ts';
import type { SipPeerOptions } from './sip-peer.ts';
import {
  forkingRings,
  late,
  losingFirstAck,
  lossy,
  type Post,
  withoutAck,
} from './race-datagrams.ts';
import { formatSipText, headerValue, methodOf, statusOf } from './sip-text.ts';
import { offerOf, type CalleeScript, type CallerScript, type RaceStage } from './race-stage.ts';
import { sleep } from './wait-for.ts';

export interface Race {
  readonly name: string;
  /** Part of all calls, in percent. */
  readonly percent: number;
  /** Calls at a time. */
  readonly concurrency: number;
  /** What the release of each record must look like: `side cause status`. */
  readonly allowed: RegExp;
  /** True: its steps only make sense with calls that are set up within some ms. */
  readonly isTimed?: boolean;
  /** True: takes 64·T1, so it runs beside the others. */
  readonly isSlow?: boolean;
  readonly alice?: (post: Post) => SipPeerOptions;
  readonly bob?: (post: Post) => SipPeerOptions;
  readonly scripts: (stage: RaceStage) => { caller: CallerScript; callee: CalleeScript };
}

const LAST_STEP_MS = 400;
const HANG_UP = /^(?:caller|callee) hang-up 200$/;
const HANG_UP_OR_CANCEL = /hang-up 200$|^caller caller-cancelled 487$/;

const KPML_HEADERS = [
  ['Event', 'kpml'],
  ['Expires', '60'],
  ['Accept', 'application/kpml-response+xml'],
] as const;
const KPML_REQUEST =
  '<?xml version="1.0"?><kpml-request xmlns="urn:ietf:params:xml:ns:kpml-request" version="1.0">' +
  '<pattern persist="persist"><regex tag="all">x</regex></pattern></kpml-request>';

export const RACES: readonly Race[] = [
  {
    name: 'CANCEL at each ms from 0 to 400 against the 200',
    percent: 35,
    concurrency: 16,
    isTimed: true,
    allowed: HANG_UP_OR_CANCEL,
    scripts: (stage) => ({ caller: cancelling, callee: ringing(stage) }),
  },
  {
    name: 'CANCEL while several branches ring',
    percent: 10,
    concurrency: 16,
    isTimed: true,
    allowed: HANG_UP_OR_CANCEL,
    bob: () => ({ rewriteSent: forkingRings() }),
    scripts: (stage) => ({ caller: cancelling, callee: ringing(stage, 4) }),
  },
  {
    name: 'the callee hangs up right behind its 200',
    percent: 8,
    concurrency: 40,
    allowed: HANG_UP,
    scripts: (stage) => ({
      caller: waiting,
      callee: async (incoming, n) => {
        const answered = incoming.answer({ body: offerOf(stage.bob) });
        if (n % 2 === 1) await sleep(n % 20);
        await Promise.all([incoming.dialog.bye(), answered]);
      },
    }),
  },
  {
    name: 'the caller hangs up before its ACK',
    percent: 8,
    concurrency: 40,
    allowed: HANG_UP,
    alice: () => ({ rewriteSent: withoutAck }),
    scripts: (stage) => ({
      caller: async (outgoing) => {
        await outgoing.answered();
        await outgoing.dialog.bye();
      },
      callee: answering(stage),
    }),
  },
  {
    name: 'both hang up at once',
    percent: 10,
    concurrency: 40,
    allowed: HANG_UP,
    scripts: (stage) => ({
      caller: async (outgoing, n) => {
        await outgoing.answered();
        await sleep(30 + (n % 5));
        if (!outgoing.dialog.isEnded) await outgoing.dialog.bye();
      },
      callee: async (incoming) => {
        await incoming.answer({ body: offerOf(stage.bob) });
        await sleep(30);
        if (!incoming.dialog.isEnded) await incoming.dialog.bye();
      },
    }),
  },
  {
    name: 're-INVITE and SUBSCRIBE with the ACK and behind it',
    percent: 8,
    concurrency: 40,
    allowed: HANG_UP,
    scripts: (stage) => ({
      caller: (...call) => busyAtOnce(stage, ...call),
      callee: answering(stage),
    }),
  },
  {
    name: 're-INVITE and SUBSCRIBE before the ACK',
    percent: 2,
    concurrency: 40,
    allowed: HANG_UP,
    alice: () => ({ rewriteSent: losingFirstAck() }),
    scripts: (stage) => ({
      caller: (...call) => busyAtOnce(stage, ...call),
      callee: answering(stage),
    }),
  },
  {
    name: 'INVITE and 200 come again after the end of the transaction',
    percent: 6,
    concurrency: 40,
    allowed: HANG_UP_OR_CANCEL,
    scripts: (stage) => ({ caller: repeatingInvite(stage), callee: repeatingAnswer(stage) }),
  },
  {
    name: 'BYE is answered 481 or 408, re-INVITE too',
    percent: 4,
    concurrency: 40,
    allowed: /hang-up 200$|^callee dialog-lost 200$/,
    scripts: (stage) => ({
      caller: async (outgoing, n) => {
        await outgoing.answered();
        await sleep(10);
        if (n % 3 === 0) await outgoing.dialog.request('INVITE', { body: offerOf(stage.alice) });
        if (!outgoing.dialog.isEnded) await outgoing.dialog.bye();
      },
      callee: async (incoming, n) => {
        const status = n % 2 === 0 ? 481 : 408;
        for (const method of ['BYE', 'INVITE']) incoming.dialog.handle(method, () => ({ status }));
        await incoming.answer({ body: offerOf(stage.bob) });
      },
    }),
  },
  {
    name: 'each datagram of both ends is up to 250 ms late, some come twice',
    percent: 5,
    concurrency: 40,
    allowed: HANG_UP_OR_CANCEL,
    alice: (post) => late(3, post),
    bob: (post) => late(4, post),
    scripts: (stage) => ({ caller: cancellingSome, callee: eitherHangsUp(stage) }),
  },
  {
    name: 'the ACK never comes',
    percent: 1,
    concurrency: 100,
    allowed: /^sbc ack-timeout/,
    isSlow: true,
    alice: () => ({ rewriteSent: withoutAck }),
    scripts: (stage) => ({
      caller: async (outgoing) => {
        await outgoing.answered();
        await outgoing.dialog.waitForEnd(60_000);
      },
      callee: answering(stage),
    }),
  },
  {
    name: 'a fifth of all datagrams is lost on both legs',
    percent: 3,
    concurrency: 60,
    allowed: HANG_UP_OR_CANCEL,
    isSlow: true,
    alice: () => lossy(1),
    bob: () => lossy(2),
    scripts: (stage) => ({ caller: cancellingSome, callee: eitherHangsUp(stage) }),
  },
];

const waiting: CallerScript = async (outgoing) => {
  await outgoing.answered();
  await outgoing.dialog.waitForEnd();
};

/** When the caller of call `n` gives up; 401 calls in a row have all steps. */
function cancelStepMs(n: number): number {
  return (n * 37) % (LAST_STEP_MS + 1);
}

/** Gives up after its step, and hangs up if the answer was quicker. */
const cancelling: CallerScript = async (outgoing, n) => {
  await sleep(cancelStepMs(n));
  // The INVITE may be answered, or refused, before the CANCEL arrives: then that gets 481.
  if (outgoing.final === undefined) await outgoing.cancel();
  const final = await outgoing.finished(60_000);
  if (statusOf(final) === 200 && !outgoing.dialog.isEnded) await outgoing.dialog.bye();
};

/** Rings, and answers close to the caller's CANCEL, or anywhere up to 400 ms. */
function ringing({ bob }: RaceStage, rings = 1): CalleeScript {
  return async (incoming, n) => {
    const nearMs = cancelStepMs(n) - 40 + ((n * 7) % 50);
    const answerMs = n % 2 === 0 ? nearMs : (n * 149) % (LAST_STEP_MS + 1);
    for (let ring = 0; ring < rings; ring += 1) {
      if (!incoming.dialog.isEnded && n % 5 !== 0) incoming.ring();
    }
    await sleep(Math.max(0, answerMs));
    if (!incoming.dialog.isEnded) await incoming.answer({ body: offerOf(bob) });
  };
}

function answering({ bob }: RaceStage): CalleeScript {
  return (incoming) => incoming.answer({ body: offerOf(bob) });
}

/** Every fourth caller gives up; of the answered ones every second hangs up, the others are hung up. */
const cancellingSome: CallerScript = async (outgoing, n) => {
  if (n % 4 === 0) {
    await cancelling(outgoing, n);
    return;
  }
  await outgoing.answered(60_000);
  await sleep(n % 300);
  if (n % 2 === 0 && !outgoing.dialog.isEnded) await outgoing.dialog.bye();
};

function eitherHangsUp({ bob }: RaceStage): CalleeScript {
  return async (incoming, n) => {
    incoming.ring();
    await sleep(n % 200);
    if (incoming.dialog.isEnded) return;
    const answered = incoming.answer({ body: offerOf(bob) }).catch(() => undefined);
    if (n % 2 === 0) return;
    await answered;
    await sleep(n % 300);
    if (!incoming.dialog.isEnded) await incoming.dialog.bye();
  };
}

/** Sends re-INVITE and SUBSCRIBE in the turn of the ACK or some ms later, then hangs up. */
async function busyAtOnce(
  { alice }: RaceStage,
  ...[outgoing, n]: Parameters<CallerScript>
): Promise<void> {
  const dialog = await outgoing.finished().then(() => outgoing.dialog);
  dialog.handle('NOTIFY', () => ({ status: 200 }));
  dialog.handle('INVITE', () => ({ status: 200, body: offerOf(alice) }));
  if (n % 3 !== 0) await sleep(n % 6);
  const contentType = 'application/kpml-request+xml';
  const answers = await Promise.all([
    dialog.request('INVITE', { body: offerOf(alice) }),
    dialog.request('SUBSCRIBE', { headers: KPML_HEADERS, body: KPML_REQUEST, contentType }),
  ]);
  if (answers.some((answer) => statusOf(answer) === 408)) throw new Error('a request timed out');
  await sleep(n % 7);
  if (!dialog.isEnded) await dialog.bye();
}

/** The INVITE comes once more as it was: after the 200 and the ACK, after the 487, and after the BYE. */
function repeatingInvite({ alice, running }: RaceStage): CallerScript {
  return async (outgoing, n) => {
    const again = (): void => alice.sendRaw(formatSipText(outgoing.invite), running.access);
    await outgoing.provisional(180);
    if (n % 2 === 0) await outgoing.cancel();
    await outgoing.finished();
    again();
    await sleep(n % 50);
    if (n % 2 === 1 && !outgoing.dialog.isEnded) await outgoing.dialog.bye();
    again();
  };
}

/** The 200 comes three more times, the last time behind the BYE. */
function repeatingAnswer({ bob, running }: RaceStage): CalleeScript {
  return async (incoming, n) => {
    incoming.ring();
    await sleep(30);
    if (n % 2 === 0 || incoming.dialog.isEnded) return;
    await incoming.answer({ body: offerOf(bob) });
    const again = (): void => bob.sendRaw(answerIn(bob.log, incoming), running.core);
    again();
    again();
    await incoming.dialog.waitForEnd();
    again();
  };
}

function answerIn(log: RaceStage['bob']['log'], { dialog }: IncomingCall): string {
  const entry = log.find(
    ({ direction, message }) =>
      direction === 'sent' &&
      statusOf(message) === 200 &&
      methodOf(message) === 'INVITE' &&
      headerValue(message, 'Call-ID') === dialog.callId,
  );
  if (entry === undefined) throw new Error('no 200 was sent');
  return entry.text;
}
