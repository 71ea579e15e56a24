import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { isWildcard } from './address.ts';
import type { ListenPoint } from './flow.ts';
import type { RemotePoint } from './transport-events.ts';

/** A connection on its way, and the event that says it is ready for SIP. */
export interface OpeningStream {
  readonly socket: Socket;
  readonly readyEvent: 'connect' | 'secureConnect';
}

/** What a stream goes through between the TCP connection and SIP. */
export interface StreamSecurity {
  /** Takes over an accepted connection; the stream is handed up once SIP may be read from it, or never. */
  accept(socket: Socket): void;
  /** Opens a connection; the socket reports a failed check as its error. */
  connect(remote: RemotePoint, local: ListenPoint): OpeningStream;
  /** What connections to `remote` must have in common, beside address and port, for one to serve in place of another. */
  identityOf(remote: RemotePoint): string;
  /** Ends what has not been handed up. */
  close(): void;
}

/** TCP: nothing in between. */
export class PlainStreams implements StreamSecurity {
  readonly #handUp: (socket: Socket) => void;

  constructor(handUp: (socket: Socket) => void) {
    this.#handUp = handUp;
  }

  accept(socket: Socket): void {
    this.#handUp(socket);
  }

  connect(remote: RemotePoint, local: ListenPoint): OpeningStream {
    return { socket: connect(addressesOf(remote, local)), readyEvent: 'connect' };
  }

  identityOf(): string {
    return '';
  }

  close(): void {
    // Every connection has been handed up.
  }
}

/** Both ends of a new connection as `connect` wants them. */
export function addressesOf(
  remote: RemotePoint,
  local: ListenPoint,
): { host: string; port: number; localAddress?: string } {
  const { address, port } = remote;
  return {
    host: address,
    port,
    ...(isWildcard(local.address) ? {} : { localAddress: local.address }),
  };
}
