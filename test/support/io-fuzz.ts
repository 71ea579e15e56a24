/** Streams that come and go while datagrams of any length arrive, sockets settle and receivers close what they are called by. */
import { SIDES } from '../../src/wire/side.ts';
import { type BedStream, IoBed, type UdpPeer } from './io-bed.ts';

const MOST_STREAMS = 6;
const PEERS = 3;

/** One thing that happens; numbers choose among what there is. */
export interface FuzzAction {
  readonly kind: (typeof FUZZ_KINDS)[number];
  readonly stream: number;
  readonly peer: number;
  /** 0 to 3: RTP and RTCP of both legs. */
  readonly port: number;
  readonly length: number;
}

export const FUZZ_KINDS = [
  'arrive',
  'arrive',
  'arrive',
  'send',
  'send',
  'wait',
  'wait',
  'settle',
  'open up',
  'open',
  'close',
  'close in the next callback',
  'throw in the next callback',
] as const;

interface FuzzStream extends BedStream {
  /** What every byte is that is sent to it. */
  readonly mark: number;
  isOpen: boolean;
}

/** What must never be, in words; empty when all was well. */
export async function fuzzIo(actions: readonly FuzzAction[]): Promise<string[]> {
  const fuzz = new IoFuzz();
  try {
    await fuzz.begin();
    for (const action of actions) await fuzz.act(action);
    await fuzz.finish();
  } finally {
    await fuzz.close();
  }
  return fuzz.problems;
}

class IoFuzz {
  readonly problems: string[] = [];
  readonly #bed = new IoBed('ffi', false);
  readonly #peers: UdpPeer[] = [];
  readonly #streams: FuzzStream[] = [];
  #opened = 0;
  #next: 'close' | 'throw' | undefined;

  async begin(): Promise<void> {
    for (let index = 0; index < PEERS; index++) this.#peers.push(await this.#bed.openPeer());
    await this.#open();
  }

  async act({ kind, stream: number, peer: who, port, length }: FuzzAction): Promise<void> {
    const stream = this.#streams[number % Math.max(1, this.#streams.length)];
    const peer = this.#peers[who % PEERS];
    if (kind === 'wait') this.#wait();
    else if (kind === 'open') await this.#open();
    else if (kind === 'close in the next callback') this.#next = 'close';
    else if (kind === 'throw in the next callback') this.#next = 'throw';
    if (stream === undefined || peer === undefined) return;
    const side = SIDES[port & 1] ?? 'caller';
    const { sockets, legs, mark } = stream;
    const isRtcp = port > 1;
    if (kind === 'arrive') {
      const leg = legs[side];
      await peer.send(Buffer.alloc(length, mark), isRtcp ? leg.rtcpPort : leg.rtpPort);
    } else if (kind === 'send') {
      const packet = Buffer.alloc(length, mark);
      if (isRtcp) sockets.sendRtcp(side, packet, peer);
      else sockets.sendRtp(side, packet, peer);
    } else if (kind === 'settle') sockets.settle(side, peer);
    else if (kind === 'open up') sockets.settle(side, undefined);
    else if (kind === 'close') this.#closeStream(stream);
  }

  /** Everything still works. */
  async finish(): Promise<void> {
    this.#next = undefined;
    this.#wait();
    for (const stream of this.#streams.slice()) this.#closeStream(stream);
    const stream = await this.#open();
    const [peer] = this.#peers;
    if (stream === undefined || peer === undefined) return;
    const before = this.#heard;
    await peer.send(Buffer.alloc(12, stream.mark), stream.legs.caller.rtpPort);
    this.#wait();
    if (this.#heard !== before + 1) this.problems.push('the last stream heard nothing');
  }

  close(): Promise<void> {
    return this.#bed.close();
  }

  #heard = 0;

  #wait(): void {
    for (let round = 0; round < 3; round++) {
      try {
        this.#bed.io?.wait(0);
      } catch (error) {
        if (String(error) !== 'Error: a bug') this.problems.push(String(error));
      }
    }
  }

  async #open(): Promise<FuzzStream | undefined> {
    if (this.#streams.length >= MOST_STREAMS) return undefined;
    this.#opened += 1;
    const mark = this.#opened & 0xff;
    let stream: FuzzStream | undefined;
    const receive = (packet: Buffer): void => {
      if (stream !== undefined) this.#receive(stream, packet);
    };
    const opened = await this.#bed.openStream({
      receiveRtp: (_side, packet) => receive(packet),
      receiveRtcp: (_side, packet) => receive(packet),
      refusedRtp: () => undefined,
    });
    stream = { ...opened, mark, isOpen: true };
    this.#streams.push(stream);
    return stream;
  }

  #receive(stream: FuzzStream, packet: Buffer): void {
    this.#heard += 1;
    if (!stream.isOpen) this.problems.push('a closed stream was handed a packet');
    if (packet.some((byte) => byte !== stream.mark)) this.problems.push('bytes of another packet');
    const next = this.#next;
    this.#next = undefined;
    const [peer] = this.#peers;
    if (peer !== undefined) stream.sockets.sendRtp('callee', packet, peer);
    if (next === 'close') this.#closeStream(stream);
    if (next === 'throw') throw new Error('a bug');
    packet.fill(0xee);
  }

  #closeStream(stream: FuzzStream): void {
    stream.isOpen = false;
    this.#streams.splice(this.#streams.indexOf(stream), 1);
    void stream.sockets.close();
  }
}
