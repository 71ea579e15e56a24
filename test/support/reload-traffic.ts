/**
 * Calls at a steady pace through an SBC that is reloaded meanwhile: nobody may be refused, and nobody hung up but by the
 * other end.
 *
 *   alice ── access [SBC] core ── bob        every second call is hung up by bob, who is told when by the dialled number
 */

import { bodyOf, headerOf, LightSip, newToken, uriOf } from './light-sip.ts';
import type { LightReply } from './light-sip.ts';
import { buildSdp } from './sdp-text.ts';
import type { SipTarget } from './sip-peer.ts';
import { sleep, within } from './wait-for.ts';

export interface TrafficCounts {
  begun: number;
  answered: number;
  ended: number;
  /** Why calls were not set up or did not end as they should, by their words. */
  readonly failed: Map<string, number>;
  readonly dropped: Map<string, number>;
  /** INVITE to 200. */
  readonly setUpMs: number[];
}

export interface TrafficCall {
  /** Asks for new media in the call; the status. */
  reinvite(): Promise<number>;
  /** Ends it; resolves when both ends know. */
  end(): Promise<void>;
}

interface Dialog {
  readonly callId: string;
  readonly from: string;
  readonly to: string;
  readonly target: string;
  readonly via: SipTarget;
}

const MEDIA_PORT = 40_000;
const SHORTEST_MS = 300;
const LONGEST_MS = 2000;
const END_PATIENCE_MS = 30_000;
/** Calls up or in set-up. */
export const MOST_AT_ONCE = 160;
const PAUSE_MS = 20;

export class ReloadTraffic {
  readonly counts: TrafficCounts = {
    begun: 0,
    answered: 0,
    ended: 0,
    failed: new Map(),
    dropped: new Map(),
    setUpMs: [],
  };
  readonly alice: LightSip;
  readonly bob: LightSip;
  readonly #running = new Set<Promise<void>>();
  #core: SipTarget = { address: '', port: 0 };
  #isOver = false;

  private constructor(alice: LightSip, bob: LightSip) {
    this.alice = alice;
    this.bob = bob;
  }

  static async open(aliceAddress: string, bobAddress: string): Promise<ReloadTraffic> {
    const alice = await LightSip.open(aliceAddress);
    let traffic: ReloadTraffic | undefined;
    const bob = await LightSip.open(bobAddress, (request) => traffic?.atBob(request));
    traffic = new ReloadTraffic(alice, bob);
    return traffic;
  }

  /** Begins so many calls a second until `stop`; fewer where the machine does not get as far. */
  async run(perSecond: number, access: SipTarget, core: SipTarget): Promise<void> {
    this.#core = core;
    const startMs = performance.now();
    for (let n = 0; !this.#isOver; n += 1) {
      // Media ports are for so many; a machine that is busy otherwise would run out of them.
      while (this.#running.size >= MOST_AT_ONCE) await sleep(PAUSE_MS);
      const call = this.#plainCall(n, access);
      this.#running.add(call);
      void call.finally(() => this.#running.delete(call));
      await sleep(Math.max(0, startMs + ((n + 1) * 1000) / perSecond - performance.now()));
    }
  }

  /** Begins no more calls; resolves when all are over. */
  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#running);
    this.#isOver = false;
  }

  close(): void {
    this.alice.close();
    this.bob.close();
  }

  /** Sets up a call that alice ends; `undefined`: it failed, and has been counted. */
  async call(via: SipTarget): Promise<TrafficCall | undefined> {
    const hungUp = Promise.withResolvers<void>();
    let isEnding = false;
    const dialog = await this.#dial('stay', via, () => {
      if (!isEnding) note(this.counts.dropped, 'BYE that nobody sent');
      hungUp.resolve();
    });
    if (dialog === undefined) return undefined;
    let cseq = 1;
    return {
      reinvite: async () => {
        cseq += 1;
        const response = await this.#inDialog(this.alice, dialog, `${cseq} INVITE`);
        if (response !== undefined && statusOf(response) === 200) {
          this.alice.acknowledge(dialog.callId, ackOf(dialog, cseq));
        }
        return response === undefined ? 0 : statusOf(response);
      },
      end: async () => {
        isEnding = true;
        cseq += 1;
        const response = await this.#inDialog(this.alice, dialog, `${cseq} BYE`);
        this.#ended(response);
      },
    };
  }

  /** A request outside every call, or inside one of bob's. */
  atBob(request: string): LightReply | undefined {
    if (request.startsWith('BYE ')) return { status: 200 };
    if (!request.startsWith('INVITE ')) return undefined;
    const to = headerOf(request, 'To');
    const callId = headerOf(request, 'Call-ID');
    const isNew = !to.includes(';tag=');
    const local = isNew ? `${to};tag=${newToken()}` : to;
    const holdMs = /sip:bye(\d+)@/.exec(request)?.[1];
    if (isNew && holdMs !== undefined) {
      const dialog = {
        callId,
        from: local,
        to: headerOf(request, 'From'),
        target: uriOf(headerOf(request, 'Contact')),
        via: this.#core,
      };
      void this.#endAfter(Number(holdMs), dialog);
    }
    return {
      status: 200,
      head: [`To: ${local}`, contactOf(this.bob), 'Content-Type: application/sdp'],
      body: sdpOf(this.bob),
    };
  }

  async #plainCall(n: number, via: SipTarget): Promise<void> {
    const holdMs = Math.round(SHORTEST_MS + Math.random() * (LONGEST_MS - SHORTEST_MS));
    if (n % 2 === 0) {
      const call = await this.call(via);
      if (call === undefined) return;
      await sleep(holdMs);
      await call.end();
      return;
    }
    const hungUp = Promise.withResolvers<void>();
    const dialog = await this.#dial(`bye${holdMs}`, via, () => hungUp.resolve());
    if (dialog === undefined) return;
    await within('BYE of bob', hungUp.promise, holdMs + END_PATIENCE_MS).catch(() => {
      note(this.counts.dropped, 'BYE of bob never came');
    });
  }

  async #dial(user: string, via: SipTarget, onBye: () => void): Promise<Dialog | undefined> {
    const { alice, counts } = this;
    const callId = `${newToken()}@${alice.address}`;
    const uri = `sip:${user}@${via.address}:${via.port}`;
    const from = `<sip:alice@${alice.address}:${alice.port}>;tag=${newToken()}`;
    counts.begun += 1;
    alice.handle(callId, (request) => {
      if (request.startsWith('BYE ')) onBye();
      return { status: 200 };
    });
    const startMs = performance.now();
    const head = [
      ...identityOf({ from, to: `<${uri}>`, callId }, '1 INVITE'),
      contactOf(alice),
      'Content-Type: application/sdp',
    ];
    const body = sdpOf(alice);
    const invite = { method: 'INVITE', uri, to: via, head, body };
    const response = await alice.request(invite).catch(() => undefined);
    if (response === undefined || statusOf(response) !== 200 || bodyOf(response) === '') {
      note(counts.failed, response?.split('\r\n')[0] ?? 'no answer to INVITE');
      return undefined;
    }
    counts.setUpMs.push(performance.now() - startMs);
    counts.answered += 1;
    const target = uriOf(headerOf(response, 'Contact'));
    const dialog = { callId, from, to: headerOf(response, 'To'), target, via };
    alice.acknowledge(callId, ackOf(dialog, 1));
    return dialog;
  }

  async #endAfter(holdMs: number, dialog: Dialog): Promise<void> {
    await sleep(holdMs);
    this.#ended(await this.#inDialog(this.bob, dialog, '1 BYE'));
  }

  #inDialog(end: LightSip, dialog: Dialog, cseq: string): Promise<string | undefined> {
    const method = cseq.split(' ')[1] ?? '';
    const isOffer = method === 'INVITE';
    const request = {
      method,
      uri: dialog.target,
      to: dialog.via,
      head: [
        ...identityOf(dialog, cseq),
        ...(isOffer ? [contactOf(end), 'Content-Type: application/sdp'] : []),
      ],
      ...(isOffer ? { body: sdpOf(end) } : {}),
    };
    return end.request(request).catch(() => undefined);
  }

  #ended(response: string | undefined): void {
    this.counts.ended += 1;
    if (response !== undefined && statusOf(response) === 200) return;
    note(this.counts.dropped, `BYE: ${response?.split('\r\n')[0] ?? 'no answer'}`);
  }
}

function note(counts: Map<string, number>, what: string): void {
  counts.set(what, (counts.get(what) ?? 0) + 1);
}

function identityOf(
  { from, to, callId }: Pick<Dialog, 'from' | 'to' | 'callId'>,
  cseq: string,
): string[] {
  return [`From: ${from}`, `To: ${to}`, `Call-ID: ${callId}`, `CSeq: ${cseq}`];
}

function ackOf(dialog: Dialog, cseq: number): { uri: string; to: SipTarget; head: string[] } {
  return { uri: dialog.target, to: dialog.via, head: identityOf(dialog, `${cseq} ACK`) };
}

function contactOf({ address, port }: LightSip): string {
  return `Contact: <sip:peer@${address}:${port}>`;
}

function sdpOf({ address }: LightSip): string {
  return buildSdp({ address, rtpPort: MEDIA_PORT });
}

function statusOf(response: string): number {
  return Number(response.split(' ')[1]);
}
