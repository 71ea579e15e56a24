/** One end of a call that holds the other one, in every form, and follows whatever is offered to it. */

import type { LineCall } from './digit-lines.ts';
import { buildSdp, readSdp } from './sdp-text.ts';
import type { AudioDescription, Direction } from './sdp-text.ts';
import type { Reply } from './sip-dialog.ts';
import { statusOf } from './sip-text.ts';
import type { SipText } from './sip-text.ts';
import { sleep, waitFor } from './wait-for.ts';

/** What a description asks for; `nowhere` is the hold of RFC 2543, by c=0.0.0.0. */
export type HoldForm = Exclude<Direction, 'sendrecv'> | 'nowhere';
/** How it is asked for; `late`: in the ACK of a re-INVITE without offer. */
export type HoldRequest = 'INVITE' | 'late' | 'UPDATE';

/** Longest and shortest wait after a 491, milliseconds: of the one that chose the Call-ID, and of the other one (RFC 3261 §14.1). */
const GLARE_MS = { caller: [2100, 4000], callee: [0, 2000] } as const;

export class HoldingEnd {
  readonly call: LineCall;
  readonly #role: 'caller' | 'callee';
  #version = 10;
  /** What it wants at present. */
  #form: HoldForm | 'sendrecv' = 'sendrecv';
  /** A re-INVITE of its own has no answer yet. */
  #isAsking = false;
  /** 491 that it got. */
  refused = 0;

  constructor(call: LineCall, role: 'caller' | 'callee') {
    this.call = call;
    this.#role = role;
    call.dialog.handle('INVITE', (request) => this.#receive(request));
    call.dialog.handle('UPDATE', (request) => this.#receive(request));
  }

  /** Says in `request` what it wants, again as long as that meets an offer of the other end; the final answer. */
  async ask(form: HoldForm | 'sendrecv', request: HoldRequest): Promise<SipText> {
    this.#form = form;
    for (;;) {
      const answer = await this.#send(form, request);
      if (statusOf(answer) !== 491) return answer;
      this.refused += 1;
      const [shortest, longest] = GLARE_MS[this.#role];
      await sleep(shortest + Math.random() * (longest - shortest));
    }
  }

  async #send(form: HoldForm | 'sendrecv', request: HoldRequest): Promise<SipText> {
    const { dialog } = this.call;
    const own = this.#describe(form);
    this.#isAsking = true;
    try {
      if (request === 'late') {
        const answer = await dialog.request('INVITE', { ackBody: () => own });
        if (statusOf(answer) === 200) this.#follow(readSdp(answer.body), form);
        return answer;
      }
      const answer = await dialog.request(request, { body: own });
      if (statusOf(answer) === 200) this.#follow(readSdp(answer.body), form);
      return answer;
    } finally {
      this.#isAsking = false;
    }
  }

  async #receive(request: SipText): Promise<Reply> {
    if (this.#isAsking) return { status: 491 };
    if (request.body !== '') {
      const offer = readSdp(request.body);
      const answer = this.#form === 'nowhere' ? 'nowhere' : answerTo(offer.direction, this.#form);
      this.#follow(offer, answer);
      return { status: 200, body: this.#describe(answer) };
    }
    void this.#followAck(this.call.dialog.acks.length);
    return { status: 200, body: this.#describe(this.#form) };
  }

  /** The answer to an offer of ours in a 200. */
  async #followAck(known: number): Promise<void> {
    const { acks } = this.call.dialog;
    const ack = await waitFor('ACK with an answer', () =>
      acks.slice(known).find(({ body }) => body !== ''),
    );
    this.#follow(readSdp(ack.body), this.#form);
  }

  #describe(form: HoldForm | 'sendrecv'): string {
    const { rtp, localEventPayloadType } = this.call;
    const { address, rtpPort } = rtp;
    this.#version += 1;
    const isNowhere = form === 'nowhere';
    const sdp = buildSdp({
      address,
      rtpPort,
      eventPayloadType: localEventPayloadType,
      direction: isNowhere ? 'sendrecv' : form,
      version: this.#version,
    });
    return isNowhere ? sdp.replace(`c=IN IP4 ${address}`, 'c=IN IP4 0.0.0.0') : sdp;
  }

  #follow(remote: AudioDescription, own: HoldForm | 'sendrecv'): void {
    this.call.remote = remote;
    const isWanted = remote.direction === 'sendrecv' || remote.direction === 'recvonly';
    const mayTalk = own !== 'recvonly' && own !== 'inactive';
    const isSomewhere = remote.rtpPort !== 0 && remote.address !== '0.0.0.0';
    this.call.rtp.setRemote(isWanted && mayTalk && isSomewhere ? remote : undefined);
  }
}

/** The direction of an answer: what the offer leaves, and no more than the end itself wants (RFC 3264 §6.1). */
function answerTo(offered: Direction, wanted: Direction): Direction {
  const receives = offered !== 'recvonly' && offered !== 'inactive' && mayReceive(wanted);
  const sends = offered !== 'sendonly' && offered !== 'inactive' && maySend(wanted);
  if (receives) return sends ? 'sendrecv' : 'recvonly';
  return sends ? 'sendonly' : 'inactive';
}

function mayReceive(direction: Direction): boolean {
  return direction === 'sendrecv' || direction === 'recvonly';
}

function maySend(direction: Direction): boolean {
  return direction === 'sendrecv' || direction === 'sendonly';
}
