/** What the ladder tells of the media of one call: where its streams are, who was heard, what was lost. */
import type {
  MediaObservation,
  MediaStream,
  StreamLoss,
  StreamUpdate,
} from '../media/media-engine.ts';
import type { MediaCounters } from '../media/relay-counters.ts';
import { otherSide, type Side, SIDES } from '../wire/side.ts';
import { formatHostPort } from '../wire/sip-uri.ts';

type Record = (summary: string, leg?: Side) => void;

const MS_PER_SECOND = 1000;

const LOSSES: Readonly<{ [Reason in StreamLoss]: string }> = {
  'worker-lost': 'media lost: its relay thread died',
  'engine-lost': 'media lost: its media server is down, or knows the call no more',
};

export class MediaRows {
  readonly #record: Record;
  /** What was said last of each leg of each stream, and of each source: offers are repeated. */
  readonly #said = new Map<string, string>();
  #streams = 0;

  constructor(record: Record) {
    this.#record = record;
  }

  opened(local: MediaStream['local']): void {
    const [caller, callee] = [local.caller, local.callee].map(({ address, rtpPort }) =>
      formatHostPort(address, rtpPort),
    );
    this.#record(
      `stream ${this.#streams} opened: ${caller} towards the caller, ${callee} towards the callee`,
    );
    this.#streams += 1;
  }

  agreed(index: number, { legs }: StreamUpdate): void {
    for (const side of SIDES) {
      const { remote, maySend } = legs[side];
      const where = remote && formatHostPort(remote.address, remote.rtpPort);
      const what = where === undefined ? 'no peer' : `peer at ${where}`;
      const sending = where === undefined || maySend ? '' : ', nothing is sent to it';
      this.#say(`${index} ${side}`, `stream ${index}: ${what}${sending}`, side);
    }
  }

  observed(observation: MediaObservation): void {
    switch (observation.type) {
      case 'heard': {
        const { side, source } = observation;
        this.#say(`heard ${side}`, `first packet from ${source}`, side);
        break;
      }
      case 'learnt': {
        const { side, source } = observation;
        this.#record(`source locked to ${source}, which is not where SDP says`, side);
        break;
      }
      case 'one-way': {
        const { from } = observation;
        this.#record(`one way: only the ${from} is heard`, otherSide(from));
        break;
      }
      case 'both-ways':
        this.#record('no longer one way');
        break;
    }
  }

  lost(reason: StreamLoss): void {
    this.#record(LOSSES[reason]);
  }

  silent(quietMs: number): void {
    this.#record(
      `silence: no packet from either side for ${Math.round(quietMs / MS_PER_SECOND)} s`,
    );
  }

  closed(counters: readonly MediaCounters[]): void {
    for (const [index, counter] of counters.entries()) {
      for (const side of SIDES) {
        const { receivedPackets, sentPackets, lostPackets, jitterMs } = counter[side];
        const quality = `${lostPackets} lost, jitter ${jitterMs.toFixed(1)} ms`;
        this.#record(
          `stream ${index} closed: ${receivedPackets} packets from the ${side}, ${quality}; ${sentPackets} sent to it`,
          side,
        );
      }
    }
  }

  /** Unless it was said before. */
  #say(about: string, summary: string, side: Side): void {
    if (this.#said.get(about) === summary) return;
    this.#said.set(about, summary);
    this.#record(summary, side);
  }
}
