/** A stream of a relay with the kernel path, and both its peers, each on a host of its own. */

import type { EventHandling, LegMedia, LocalMedia } from '../../src/media/media-engine.ts';
import type { MediaCounters } from '../../src/media/relay-counters.ts';
import { SIDES, type Side } from '../../src/wire/side.ts';
import type { JsonProcess } from './json-process.ts';
import { CALLEE, CALLER, MediaNamespaces, RELAY } from './media-namespaces.ts';
import type { RelayView } from './relay-program.ts';
import type { HostReport } from './rtp-host.ts';
import { SEQUENCE_MODULUS, wrapDistance } from './rtp-packet.ts';
import { PATIENCE_MS, sleep } from './wait-for.ts';

export const PEER_PORT = 4000;
export const CALLER_SSRC = 0x11223344;
export const CALLEE_SSRC = 0xffeeddcc;
/** Longer than a packet takes through the relay. */
const ON_ITS_WAY_MS = 100;
const NOTHING: HostReport = { sent: 0, lost: 0, heard: [] };

/** What a leg with G.711 and keys is; `changes` as of the call layer. */
export function kernelLeg(side: Side, changes: Partial<LegMedia> = {}): LegMedia {
  const address = side === 'caller' ? CALLER : CALLEE;
  const events = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11];
  return {
    remote: { address, rtpPort: PEER_PORT, rtcpPort: PEER_PORT + 1 },
    mediaSource: 'sdp',
    maySend: true,
    audio: { payloadTypes: [0, 8], clockRate: 8000, packetTimeMs: 20 },
    event: { sendPayloadType: 101, receivePayloadTypes: [101], clockRate: 8000, events },
    payloadTypeMap: [],
    ...changes,
  };
}

export class KernelStage {
  readonly hosts: MediaNamespaces;
  readonly relay: JsonProcess;
  readonly peers: Readonly<Record<Side, JsonProcess>>;
  local: Readonly<Record<Side, LocalMedia>> | undefined;

  /** @param prepare what is done on the relay's host before the relay starts. */
  constructor(
    letter: string,
    words: readonly string[] = [],
    prepare: (hosts: MediaNamespaces) => void = () => undefined,
  ) {
    this.hosts = new MediaNamespaces(letter);
    prepare(this.hosts);
    const legs = ['--caller', RELAY.caller, '--callee', RELAY.callee];
    this.relay = this.hosts.start('relay', './relay-program.ts', ...legs, ...words);
    this.peers = {
      caller: this.hosts.start('caller', './rtp-host.ts'),
      callee: this.hosts.start('callee', './rtp-host.ts'),
    };
  }

  /** Opens the stream and lets both peers talk. */
  async talk(handling: EventHandling = { mode: 'relay', detect: true }): Promise<void> {
    this.local = await this.relay.ask<Record<Side, LocalMedia>>({ type: 'open' });
    await this.update({}, handling);
    for (const side of SIDES) {
      const { address, rtpPort: port } = this.local[side];
      const from = { address: side === 'caller' ? CALLER : CALLEE, port: PEER_PORT };
      const ssrc = side === 'caller' ? CALLER_SSRC : CALLEE_SSRC;
      const order = { from, to: { address, port }, ssrc, payloadType: 0 };
      await this.peers[side].ask({ type: 'stream', order });
    }
  }

  /** Lets both peers talk until all of it goes by the kernel, and forgets what they have heard. */
  async carry(handling?: EventHandling): Promise<void> {
    await this.talk(handling);
    await this.carried(2);
    await this.forget();
  }

  async update(
    changes: Partial<Record<Side, Partial<LegMedia>>>,
    handling: EventHandling = { mode: 'relay', detect: true },
  ): Promise<void> {
    const legs = {
      caller: kernelLeg('caller', changes.caller),
      callee: kernelLeg('callee', changes.callee),
    };
    const update = { legs, events: { caller: handling, callee: handling } };
    await this.relay.ask({ type: 'update', update });
  }

  view(): Promise<RelayView> {
    return this.relay.ask<RelayView>({ type: 'view' });
  }

  counters(): Promise<MediaCounters> {
    return this.relay.ask<MediaCounters>({ type: 'counters' });
  }

  /** What a peer has sent and heard since it was asked last. */
  report(side: Side): Promise<HostReport> {
    return this.peers[side].ask<HostReport>({ type: 'report' });
  }

  /** Forgets what the peers have sent and heard so far, while nothing is on its way. */
  async forget(): Promise<void> {
    await this.pause();
    for (const side of SIDES) await this.peers[side].ask({ type: 'resume' });
  }

  /** Lets both peers pause; what they have sent and heard since they were asked last, once nothing is on its way. */
  async pause(): Promise<Readonly<Record<Side, HostReport>>> {
    const all = { caller: NOTHING, callee: NOTHING };
    for (const side of SIDES) await this.peers[side].ask({ type: 'pause' });
    for (let isQuiet = false; !isQuiet;) {
      await sleep(ON_ITS_WAY_MS);
      // Between two answers the relay has been at its sockets.
      await this.counters();
      await this.counters();
      isQuiet = true;
      for (const side of SIDES) {
        const { sent, lost, heard } = await this.report(side);
        const before = all[side];
        all[side] = {
          sent: before.sent + sent,
          lost: before.lost + lost,
          heard: [...before.heard, ...heard],
        };
        if (sent + heard.length > 0) isQuiet = false;
      }
    }
    return all;
  }

  /** Waits until so many directions go by the kernel. */
  async carried(count: number): Promise<RelayView> {
    return await this.until(`${count} flows in the kernel`, (view) => view.carried === count);
  }

  /** Does what takes directions out of the kernel until so many are left; waits until both go by it again. */
  async carriedAgain(least: number, act: () => Promise<unknown>): Promise<void> {
    const { course } = await this.view();
    await act();
    const isSo = (view: RelayView): boolean =>
      view.carried === 2 && view.course.slice(course.length).includes(least);
    await this.until(`${least} flows in the kernel, and then both`, isSo);
  }

  async until(what: string, isSo: (view: RelayView) => boolean): Promise<RelayView> {
    const deadlineMs = performance.now() + PATIENCE_MS;
    for (;;) {
      const view = await this.view();
      if (isSo(view)) return view;
      if (performance.now() > deadlineMs) {
        throw new Error(`no ${what}: ${JSON.stringify(view)}`);
      }
      await sleep(20);
    }
  }

  async close(): Promise<void> {
    await this.hosts.close();
  }
}

/** Holes and doubles in the numbers of one SSRC. A packet that the relay sees may be overtaken by one that it does not. */
export function numberProblems(heard: HostReport['heard'], ssrc: number): string[] {
  const packets = heard.filter((packet) => packet.ssrc === ssrc);
  const first = packets[0]?.sequenceNumber ?? 0;
  const steps = packets.map(({ sequenceNumber }) =>
    wrapDistance(first, sequenceNumber, SEQUENCE_MODULUS),
  );
  const sorted = steps.toSorted((a, b) => a - b);
  return sorted.slice(1).flatMap((step, index) => {
    const before = sorted[index] ?? 0;
    return step === before + 1 ? [] : [`${first} + ${before} -> ${first} + ${step}`];
  });
}
