/** The relay of the SBC on a network in memory: everything of it but the sockets and the threads. */
import type { LocalMedia } from '../media/media-engine.ts';
import { RelayHost } from '../media/relay-host.ts';
import type { RelayCommand, RelayEvent, RelayWorkerOptions } from '../media/relay-protocol.ts';
import type { BindFailure, PacketReceiver, StreamSockets } from '../media/relay-sockets.ts';
import type { RelayWorker } from '../media/relay-thread.ts';
import type { PacketSource } from '../media/source-lock.ts';
import { SIDES, type Side } from '../wire/side.ts';
import type { MemoryNetwork } from './memory-network.ts';

/** A relay thread that is none: its commands and events wait for their turn all the same. */
export class MemoryRelayWorker implements RelayWorker {
  readonly #host: RelayHost;
  #onEvent: (event: RelayEvent) => void = () => undefined;
  #onExit: () => void = () => undefined;

  constructor(worker: RelayWorkerOptions, network: MemoryNetwork) {
    this.#host = new RelayHost({
      worker,
      post: (event) => void setTimeout(() => this.#onEvent(event), 0),
      random: Math.random,
      openSockets: async (legs, receiver) => MemorySockets.open(network, legs, receiver),
    });
  }

  on(event: 'message', listener: (event: RelayEvent) => void): this;
  on(event: 'error', listener: (error: Error) => void): this;
  on(event: 'exit', listener: () => void): this;
  on(name: string, listener: ((event: RelayEvent) => void) & (() => void)): this {
    if (name === 'message') this.#onEvent = listener;
    if (name === 'exit') this.#onExit = listener;
    return this;
  }

  postMessage(command: RelayCommand): void {
    const copy = structuredClone(command);
    setTimeout(() => void this.#host.receive(copy), 0);
  }

  async terminate(): Promise<number> {
    this.#host.stop();
    this.#onExit();
    return 0;
  }
}

class MemorySockets implements StreamSockets {
  readonly #network: MemoryNetwork;
  readonly #legs: Readonly<Record<Side, LocalMedia>>;

  private constructor(network: MemoryNetwork, legs: Readonly<Record<Side, LocalMedia>>) {
    this.#network = network;
    this.#legs = legs;
  }

  static open(
    network: MemoryNetwork,
    legs: Readonly<Record<Side, LocalMedia>>,
    receiver: PacketReceiver,
  ): MemorySockets | BindFailure {
    for (const side of SIDES) {
      const { rtp, rtcp } = portsOf(legs[side]);
      const isBound =
        network.bind(rtp, (packet, source) => receiver.receiveRtp(side, packet, source)) &&
        network.bind(rtcp, (packet, source) => receiver.receiveRtcp(side, packet, source));
      if (!isBound) return { type: 'bindFailure', side, reason: 'port-taken' };
    }
    return new MemorySockets(network, legs);
  }

  sendRtp(side: Side, packet: Buffer, destination: PacketSource): void {
    this.#network.sendPacket(portsOf(this.#legs[side]).rtp, destination, packet);
  }

  sendRtcp(side: Side, packet: Buffer, destination: PacketSource): void {
    this.#network.sendPacket(portsOf(this.#legs[side]).rtcp, destination, packet);
  }

  sendRtpReported(
    side: Side,
    packet: Buffer,
    destination: PacketSource,
    onTaken: (isTaken: boolean) => void,
  ): void {
    this.sendRtp(side, packet, destination);
    onTaken(true);
  }

  /** There is no kernel to filter. */
  settle(): void {}

  async close(): Promise<void> {
    for (const side of SIDES) {
      const { rtp, rtcp } = portsOf(this.#legs[side]);
      this.#network.release(rtp);
      this.#network.release(rtcp);
    }
  }
}

function portsOf({ address, rtpPort, rtcpPort }: LocalMedia): {
  readonly rtp: PacketSource;
  readonly rtcp: PacketSource;
} {
  return { rtp: { address, port: rtpPort }, rtcp: { address, port: rtcpPort } };
}
