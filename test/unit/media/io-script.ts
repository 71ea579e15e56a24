/** A long random call in virtual time on real sockets, the same for every io, and an account of all that came of it. */
import { vi } from 'vitest';
import type { LegMedia, StreamUpdate } from '../../../src/media/media-engine.ts';
import { RelayHost } from '../../../src/media/relay-host.ts';
import type { RelayIo } from '../../../src/media/relay-protocol.ts';
import type { PacketReceiver, StreamSockets } from '../../../src/media/relay-sockets.ts';
import { otherSide, type Side, SIDES } from '../../../src/wire/side.ts';
import { freePortRange } from '../../support/free-ports.ts';
import { IoBed, type UdpPeer } from '../../support/io-bed.ts';
import { audioPacket, eventPacket, sampleLeg } from './media-samples.ts';

const HOST = '127.0.0.1';
/** Turns of the event loop that what must come may take, and that what must not come is waited for. */
const PATIENT_TURNS = 20_000;
const QUIET_TURNS = 6;
const FRAME_MS = 20;

/** Who sends: the two peers, their other addresses, and somebody else. */
const SENDERS = ['caller', 'callee', 'caller moved', 'callee moved', 'stranger'] as const;
type Sender = (typeof SENDERS)[number];

export type Step =
  | { readonly type: 'rtp' | 'rtcp'; from: Sender; readonly side: Side; readonly bytes: Buffer }
  | { readonly type: 'update'; readonly legs: Record<Side, LegShape>; readonly absorbs: Side[] }
  | { readonly type: 'digit'; readonly to: Side; readonly code: number }
  | { readonly type: 'counters' }
  | { readonly type: 'pass'; readonly ms: number };

interface LegShape {
  readonly isMoved: boolean;
  readonly changes: Partial<LegMedia>;
}

/** A number from 0 on, below `limit`. */
export type Pick = (limit: number) => number;

export function seededPick(seed: number): Pick {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    return (state >> 8) % limit;
  };
}

/** A script of `length` steps. */
export function randomSteps(pick: Pick, length: number): Step[] {
  const steps: Step[] = [];
  const numbers = { caller: 65_500, callee: 7 };
  const shape = (): LegShape => ({
    isMoved: pick(3) === 0,
    changes: {
      maySend: pick(6) !== 0,
      ...(pick(3) === 0 && { mediaSource: 'learn-once' }),
      ...(pick(4) === 0 && { payloadTypeMap: [[0, 96]] as const }),
      ...(pick(8) === 0 && { transport: pick(2) === 0 ? 'srtp' : 'datagrams' }),
    },
  });
  const audio = (side: Side): Buffer => {
    numbers[side] += pick(20) === 0 ? 2 : 1;
    const sequenceNumber = numbers[side] & 0xffff;
    return audioPacket({
      sequenceNumber,
      timestamp: numbers[side] * 160,
      ssrc: side === 'caller' ? 0xaaaa : 0xbbbb,
      payloadType: pick(10) === 0 ? 13 : 0,
    });
  };
  const event = (side: Side, press: number, isEnd: boolean): Buffer => {
    numbers[side] += 1;
    return eventPacket({
      sequenceNumber: numbers[side] & 0xffff,
      timestamp: press * 160,
      ssrc: side === 'caller' ? 0xaaaa : 0xbbbb,
      code: press % 16,
      durationTicks: 160 * (1 + pick(8)),
      isEnd,
    });
  };
  steps.push({ type: 'update', legs: { caller: shape(), callee: shape() }, absorbs: [] });
  while (steps.length < length) {
    const side: Side = pick(2) === 0 ? 'caller' : 'callee';
    const from: Sender = pick(5) === 0 ? `${side} moved` : side;
    const kind = pick(24);
    if (kind < 9) steps.push({ type: 'rtp', from, side, bytes: audio(side) });
    else if (kind < 11) {
      const press = numbers[side];
      for (let index = 0; index < 6; index++) {
        steps.push({ type: 'rtp', from, side, bytes: event(side, press, index > 2) });
        if (pick(2) === 0) steps.push({ type: 'pass', ms: FRAME_MS });
      }
    } else if (kind < 13) steps.push({ type: 'rtcp', from, side, bytes: report(pick) });
    else if (kind < 15) steps.push({ type: 'rtp', from, side, bytes: junk(pick) });
    else if (kind < 17) steps.push({ type: 'rtp', from: 'stranger', side, bytes: audio(side) });
    else if (kind === 17) steps.push({ type: 'rtcp', from: 'stranger', side, bytes: junk(pick) });
    else if (kind === 18) steps.push({ type: 'counters' });
    else if (kind === 19) steps.push({ type: 'digit', to: side, code: pick(16) });
    else if (kind === 20 && pick(4) === 0) {
      const absorbs = SIDES.filter(() => pick(2) === 0);
      steps.push({ type: 'update', legs: { caller: shape(), callee: shape() }, absorbs });
    } else steps.push({ type: 'pass', ms: FRAME_MS * (1 + pick(pick(12) === 0 ? 150 : 3)) });
  }
  return [...steps, { type: 'pass', ms: 4000 }, { type: 'counters' }];
}

/** Any bytes, sometimes long, sometimes like RTP in the beginning. */
function junk(pick: Pick): Buffer {
  const bytes = Buffer.from(
    Array.from({ length: pick(pick(6) === 0 ? 2000 : 60) }, () => pick(256)),
  );
  if (bytes.length > 0 && pick(2) === 0) bytes[0] = 0x80;
  return bytes;
}

function report(pick: Pick): Buffer {
  if (pick(4) === 0) return junk(pick);
  return Buffer.from(`80c900010000${pick(2) === 0 ? 'aaaa' : 'bbbb'}`, 'hex');
}

export interface ScriptPorts {
  readonly firstOfStream: number;
  readonly firstOfPeers: number;
}

export async function scriptPorts(): Promise<ScriptPorts> {
  const { first } = await freePortRange(4 + 2 * SENDERS.length);
  return { firstOfStream: first, firstOfPeers: first + 4 };
}

/**
 * Plays the script and tells what happened, step by step: what peers received, what the main thread was told.
 *
 * @param scribbles overwrites each packet behind its receiver.
 */
export async function playScript(
  io: RelayIo,
  steps: readonly Step[],
  { firstOfStream, firstOfPeers, scribbles = false }: ScriptPorts & { scribbles?: boolean },
): Promise<string[]> {
  const bed = new IoBed(io, false);
  const peers: UdpPeer[] = [];
  for (let index = 0; index < 2 * SENDERS.length; index++) {
    peers.push(await bed.openPeer(HOST, firstOfPeers + index));
  }
  vi.useFakeTimers({
    toFake: ['performance', 'setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'],
    now: 0,
  });
  const script = new ScriptRun(bed, peers, { firstOfStream, firstOfPeers, scribbles });
  try {
    await script.open();
    for (const step of steps) await script.play(step);
    await script.end();
    return script.account;
  } finally {
    vi.useRealTimers();
    await bed.close();
  }
}

class ScriptRun {
  readonly account: string[] = [];
  readonly #bed: IoBed;
  readonly #peers: readonly UdpPeer[];
  readonly #options: ScriptPorts & { scribbles: boolean };
  readonly #host: RelayHost;
  readonly #settled = new Map<Side, number>();
  #handedOn = 0;
  #sent = 0;
  #digits = 0;

  constructor(
    bed: IoBed,
    peers: readonly UdpPeer[],
    options: ScriptPorts & { scribbles: boolean },
  ) {
    this.#bed = bed;
    this.#peers = peers;
    this.#options = options;
    const pick = seededPick(99);
    this.#host = new RelayHost({
      worker: { clockOriginMs: 0, inactivityTimeoutMs: 5000, holdTimeoutMs: 60_000 },
      post: (event) => this.account.push(JSON.stringify(event)),
      random: () => pick(1 << 20) / (1 << 20),
      openSockets: async (legs, receiver) => {
        const sockets = await bed.openSockets(legs, this.#watchReceiver(receiver));
        return 'type' in sockets ? sockets : this.#watchSockets(sockets);
      },
    });
  }

  async open(): Promise<void> {
    const { firstOfStream: first } = this.#options;
    const caller = { address: HOST, rtpPort: first, rtcpPort: first + 1 };
    const callee = { address: HOST, rtpPort: first + 2, rtcpPort: first + 3 };
    const legs = { caller, callee };
    await this.#host.receive({ type: 'openStream', streamKey: 1, legs, nameKey: 'name' });
  }

  async end(): Promise<void> {
    await this.#host.receive({ type: 'closeStream', streamKey: 1 });
    await this.#arrivals('end');
    this.#host.stop();
  }

  async play(step: Step): Promise<void> {
    if (step.type === 'pass') {
      // Frame by frame: what leaves in one is there before the next.
      for (let ms = 0; ms < step.ms; ms += FRAME_MS) {
        vi.advanceTimersByTime(FRAME_MS);
        await this.#arrivals(`${FRAME_MS} ms`);
      }
      return;
    }
    if (step.type === 'rtp' || step.type === 'rtcp') await this.#send(step);
    else await this.#command(step);
    await this.#arrivals(step.type);
  }

  async #send({ type, from, side, bytes }: Step & { type: 'rtp' | 'rtcp' }): Promise<void> {
    const offset = type === 'rtcp' ? 1 : 0;
    const peer = this.#peers[2 * SENDERS.indexOf(from) + offset];
    const before = this.#handedOn;
    const isHeard = type === 'rtcp' || (this.#settled.get(side) ?? peer?.port) === peer?.port;
    await peer?.send(bytes, this.#options.firstOfStream + (side === 'caller' ? 0 : 2) + offset);
    if (isHeard) await this.#turnsUntil(() => this.#handedOn > before);
    else for (let turn = 0; turn < QUIET_TURNS; turn++) await this.#turn();
  }

  async #command(step: Step): Promise<void> {
    const streamKey = 1;
    switch (step.type) {
      case 'update':
        return this.#host.receive({ type: 'updateStream', streamKey, update: this.#update(step) });
      case 'digit': {
        this.#digits += 1;
        const digit = { digitId: String(this.#digits), eventCode: step.code, durationMs: 60 };
        return this.#host.receive({ type: 'playDigit', streamKey, to: step.to, digit });
      }
      case 'counters':
        return this.#host.receive({ type: 'readCounters', streamKey, requestId: 1 });
      case 'rtp':
      case 'rtcp':
      case 'pass':
        throw new Error(`${step.type} is no command`);
    }
  }

  #update({ legs, absorbs }: Step & { type: 'update' }): StreamUpdate {
    const leg = (side: Side): LegMedia => {
      const { isMoved, changes } = legs[side];
      const index = SENDERS.indexOf(isMoved ? `${side} moved` : side);
      // Whoever is learnt is not where SDP says.
      const port = this.#options.firstOfPeers + 2 * index;
      return sampleLeg(port, changes);
    };
    const handling = (side: Side): StreamUpdate['events'][Side] => ({
      mode: absorbs.includes(side) ? 'absorb' : 'relay',
      detect: absorbs.includes(otherSide(side)) || absorbs.includes(side),
    });
    return {
      legs: { caller: leg('caller'), callee: leg('callee') },
      events: { caller: handling('caller'), callee: handling('callee') },
    };
  }

  /** Waits for all that was sent and notes it, peer by peer. */
  async #arrivals(step: string): Promise<void> {
    const received = (): number => {
      let sum = 0;
      for (const peer of this.#peers) sum += peer.received.length;
      return sum;
    };
    await this.#turnsUntil(() => received() === this.#sent);
    this.#sent = 0;
    for (const [index, peer] of this.#peers.entries()) {
      for (const bytes of peer.received.splice(0)) {
        this.account.push(`${step}: ${SENDERS[index >> 1]} ${index & 1} ${bytes.toString('hex')}`);
      }
    }
  }

  async #turnsUntil(isDone: () => boolean): Promise<void> {
    for (let turn = 0; turn < PATIENT_TURNS; turn++) {
      if (isDone()) return;
      await this.#turn();
    }
    throw new Error('a datagram did not arrive');
  }

  #turn(): Promise<void> {
    this.#bed.io?.wait(0);
    return new Promise((resolve) => {
      setImmediate(resolve);
    });
  }

  #watchReceiver(receiver: PacketReceiver): PacketReceiver {
    const behind = (packet: Buffer): void => {
      this.#handedOn += 1;
      if (this.#options.scribbles) packet.fill(0xee);
    };
    return {
      receiveRtp: (side, packet, source) => {
        receiver.receiveRtp(side, packet, source);
        behind(packet);
      },
      receiveRtcp: (side, packet, source) => {
        receiver.receiveRtcp(side, packet, source);
        behind(packet);
      },
      refusedRtp: (side, packet) => receiver.refusedRtp(side, packet),
    };
  }

  #watchSockets(sockets: StreamSockets): StreamSockets {
    return {
      sendRtp: (side, packet, destination) => {
        this.#sent += 1;
        sockets.sendRtp(side, packet, destination);
      },
      sendRtcp: (side, packet, destination) => {
        this.#sent += 1;
        sockets.sendRtcp(side, packet, destination);
      },
      sendRtpReported: (side, packet, ...[destination, onTaken]) => {
        this.#sent += 1;
        sockets.sendRtpReported(side, packet, destination, onTaken);
      },
      settle: (side, peer) => {
        if (peer === undefined) this.#settled.delete(side);
        else this.#settled.set(side, peer.port);
        sockets.settle(side, peer);
      },
      close: () => sockets.close(),
    };
  }
}
