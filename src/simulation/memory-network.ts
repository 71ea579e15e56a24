/** The network of a simulation: SIP messages and RTP packets go from place to place in memory, each after the same time. */
import type { Transport } from '../config/config.ts';
import type { PacketSource } from '../media/source-lock.ts';
import { formatHostPort } from '../wire/sip-uri.ts';

/** Where SIP is spoken: an IP address, or a host name that stands for itself. */
export interface SipPlace {
  readonly transport: Transport;
  readonly host: string;
  readonly port: number;
}

/** Takes what arrives at a place. */
export interface SipReceiver {
  receive(text: Buffer, from: SipPlace, at: SipPlace): void;
}

/** A SIP message on its way. */
export interface SipPassage {
  readonly from: SipPlace;
  readonly to: SipPlace;
  readonly bytes: Buffer;
}

export interface MemoryNetworkOptions {
  /** One way, milliseconds. */
  readonly latencyMs: number;
  /** Sees every SIP message as it arrives. */
  readonly onArrival: (passage: SipPassage) => void;
  /** Lets whoever is at a place listen there; asked before the first message to a place where nobody does. */
  readonly occupy: (place: SipPlace) => Promise<void>;
  /** IP addresses of host names. */
  readonly aliases: ReadonlyMap<string, string>;
}

type PacketReceiver = (packet: Buffer, source: PacketSource) => void;

export class MemoryNetwork {
  readonly #options: MemoryNetworkOptions;
  readonly #places = new Map<string, SipReceiver>();
  readonly #ports = new Map<string, PacketReceiver>();

  constructor(options: MemoryNetworkOptions) {
    this.#options = options;
  }

  listen(place: SipPlace, receiver: SipReceiver): void {
    this.#places.set(placeName(place), receiver);
  }

  /** Sends a SIP message; `onUnreachable` hears when nobody is there. */
  sendSip(passage: SipPassage, onUnreachable: () => void): void {
    const { latencyMs, aliases } = this.#options;
    const { from, to, bytes } = passage;
    const host = aliases.get(to.host) ?? to.host;
    setTimeout(() => {
      void this.#arrive({ from, to: { ...to, host }, bytes }, onUnreachable);
    }, latencyMs);
  }

  /** Takes a port for packets; false when it is taken. */
  bind({ address, port }: PacketSource, receiver: PacketReceiver): boolean {
    const key = formatHostPort(address, port);
    if (this.#ports.has(key)) return false;
    this.#ports.set(key, receiver);
    return true;
  }

  release({ address, port }: PacketSource): void {
    this.#ports.delete(formatHostPort(address, port));
  }

  /** A packet to a port that nobody has is lost. */
  sendPacket(source: PacketSource, to: PacketSource, packet: Buffer): void {
    const copy = Buffer.from(packet);
    setTimeout(() => {
      this.#ports.get(formatHostPort(to.address, to.port))?.(copy, source);
    }, this.#options.latencyMs);
  }

  async #arrive(passage: SipPassage, onUnreachable: () => void): Promise<void> {
    const { occupy, onArrival } = this.#options;
    const { from, to, bytes } = passage;
    const name = placeName(to);
    if (!this.#places.has(name)) await occupy(to);
    const receiver = this.#places.get(name);
    if (receiver === undefined) {
      onUnreachable();
      return;
    }
    onArrival(passage);
    receiver.receive(bytes, from, to);
  }
}

/** `udp/192.0.2.1:5060`. */
export function placeName({ transport, host, port }: SipPlace): string {
  return `${transport}/${formatHostPort(host, port)}`;
}
