import type { Socket } from 'node:dgram';
import { isWildcard } from './address.ts';
import type { Flow, ListenPoint } from './flow.ts';
import { OwnAddresses } from './own-addresses.ts';
import type { RemotePoint, SendOutcome, TransportEvents } from './transport-events.ts';
import type { TransportLimits } from './transport-limits.ts';
import { UdpPaths } from './udp-paths.ts';
import { bindUdp, closeUdp, sendUdp } from './udp-socket.ts';
import type { UdpAddress } from './udp-socket.ts';

/** SIP over UDP on one own address (RFC 3261 §18). */
export class UdpTransport {
  readonly listenPoint: ListenPoint;
  readonly #socket: Socket;
  readonly #paths: UdpPaths;
  readonly #events: TransportEvents;
  readonly #ownAddresses = new OwnAddresses();

  private constructor(socket: Socket, limits: TransportLimits, events: TransportEvents) {
    const { address, port } = socket.address();
    this.listenPoint = { protocol: 'udp', address, port };
    this.#socket = socket;
    this.#events = events;
    const onDatagram = (bytes: Buffer, remote: UdpAddress): void => {
      this.#receive(bytes, remote);
    };
    const onRefused = (remote: UdpAddress): void => {
      this.#events.onPathFailure(this.#flowTo(remote), 'port unreachable');
    };
    this.#paths = new UdpPaths({ address, port }, limits, { onDatagram, onRefused });
    socket.on('message', (bytes, from) => {
      onDatagram(bytes, { address: from.address, port: from.port });
    });
    // A single datagram that could not be received or sent is no reason to stop listening.
    socket.on('error', () => undefined);
  }

  /** @throws Error of the system when the address cannot be bound. */
  static async open(
    point: ListenPoint,
    limits: TransportLimits,
    events: TransportEvents,
  ): Promise<UdpTransport> {
    // Sharing a port is for our own sockets only: a first socket without it finds out whether the port is free.
    const probe = await bindUdp(point, false);
    const { port } = probe.address();
    await closeUdp(probe);
    return new UdpTransport(await bindUdp({ address: point.address, port }, true), limits, events);
  }

  /** @param isWatched whether an ICMP error is to be reported; wanted for requests. */
  async send(bytes: Buffer, remote: RemotePoint, isWatched: boolean): Promise<SendOutcome> {
    const watched = isWatched ? await this.#paths.send(bytes, remote) : undefined;
    const error =
      watched === undefined ? await sendUdp(this.#socket, bytes, remote) : watched.error;
    if (error === undefined || isPassing(error)) {
      return { type: 'sent', flow: this.#flowTo(remote) };
    }
    return { type: 'failed', reason: `udp ${remote.address}:${remote.port}: ${error.message}` };
  }

  async close(): Promise<void> {
    await Promise.all([this.#paths.close(), closeUdp(this.#socket)]);
  }

  #receive(bytes: Buffer, remote: UdpAddress): void {
    // Keep-alives are a few empty lines; NAT probes of one or two bytes are met as well.
    if (bytes.length <= 4) return;
    if (this.#events.isAdmitted?.(bytes, remote.address) === false) return;
    this.#events.onMessage(bytes, this.#flowTo(remote));
  }

  #localAddress(remote: UdpAddress): string {
    const { address } = this.listenPoint;
    return isWildcard(address) ? this.#ownAddresses.towards(remote.address, address) : address;
  }

  #flowTo(remote: UdpAddress): Flow {
    return {
      protocol: 'udp',
      localAddress: this.#localAddress(remote),
      localPort: this.listenPoint.port,
      remoteAddress: remote.address,
      remotePort: remote.port,
    };
  }
}

/** The system was short of buffers: no worse than a datagram lost on the way, which the timers make good. */
function isPassing(error: Error): boolean {
  return 'code' in error && ['ENOBUFS', 'ENOMEM', 'EAGAIN'].includes(String(error.code));
}
