import type { Socket } from 'node:net';
import { plainAddress } from './address.ts';
import type { Flow, ListenPoint } from './flow.ts';
import { StreamFramer } from './stream-framing.ts';
import type { FramerOutput } from './stream-framing.ts';
import type { TransportEvents } from './transport-events.ts';
import type { TransportLimits } from './transport-limits.ts';

const PONG = Buffer.from('\r\n');

/** What a connection needs to know of the transport it belongs to. */
export interface ConnectionOwner {
  readonly listenPoint: ListenPoint;
  readonly limits: TransportLimits;
  readonly events: TransportEvents;
  onClosed(connection: TcpConnection): void;
}

/**
 * One established stream connection: frames in, bytes out, closed when idle, stuck in a message or too slow.
 *
 * The flow names the remote end as we reach it, and our end by the listen point it belongs to.
 */
export class TcpConnection {
  readonly flow: Flow & { readonly connectionId: number };
  readonly #socket: Socket;
  readonly #owner: ConnectionOwner;
  readonly #framer: StreamFramer;
  #partialTimer: NodeJS.Timeout | undefined;
  #closeReason = 'connection closed';

  constructor(socket: Socket, connectionId: number, owner: ConnectionOwner) {
    this.#socket = socket;
    this.#owner = owner;
    this.#framer = new StreamFramer(owner.limits.message);
    this.flow = {
      protocol: owner.listenPoint.protocol,
      localAddress: plainAddress(socket.localAddress ?? owner.listenPoint.address),
      localPort: owner.listenPoint.port,
      remoteAddress: plainAddress(socket.remoteAddress ?? ''),
      remotePort: socket.remotePort ?? 0,
      connectionId,
    };
    socket.setNoDelay(true);
    socket.setKeepAlive(true, 60_000);
    socket.setTimeout(owner.limits.idleTimeoutMs, () => {
      this.abort('connection idle');
    });
    socket.on('data', (chunk) => {
      if (typeof chunk !== 'string') this.#receive(chunk);
    });
    socket.on('error', (error) => {
      this.#closeReason = error.message;
    });
    socket.on('close', () => {
      this.#onClose();
    });
  }

  get isOpen(): boolean {
    return this.#socket.writable && !this.#socket.destroyed;
  }

  /** Resolves to the error, if any, once the system has taken the bytes. */
  async send(bytes: Buffer): Promise<Error | undefined> {
    if (!this.isOpen) return new Error(this.#closeReason);
    if (this.#socket.writableLength + bytes.length > this.#owner.limits.sendQueueBytes) {
      this.abort('peer reads too slowly');
      return new Error(this.#closeReason);
    }
    return await new Promise((resolve) => {
      this.#socket.write(bytes, (error) => {
        resolve(error ?? undefined);
      });
    });
  }

  /** Closes at once; what is queued is lost. */
  abort(reason: string): void {
    this.#closeReason = reason;
    this.#socket.destroy();
  }

  #receive(chunk: Buffer): void {
    for (const output of this.#framer.push(chunk)) this.#handle(output);
    this.#watchPartial();
  }

  #handle(output: FramerOutput): void {
    switch (output.type) {
      case 'message':
        this.#owner.events.onMessage(output.bytes, this.flow);
        return;
      case 'ping':
        void this.send(PONG);
        return;
      case 'broken':
        this.#closeReason = output.reason;
        this.#owner.events.onBroken(output.head, output, this.flow);
        // The answer is written before the end; a peer that does not close its side is cut off.
        setImmediate(() => this.#socket.end());
        this.#socket.setTimeout(this.#owner.limits.connectTimeoutMs);
    }
  }

  #watchPartial(): void {
    if (!this.#framer.isPartial) {
      clearTimeout(this.#partialTimer);
      this.#partialTimer = undefined;
      return;
    }
    this.#partialTimer ??= setTimeout(() => {
      this.abort('message not completed in time');
    }, this.#owner.limits.partialMessageTimeoutMs);
  }

  #onClose(): void {
    clearTimeout(this.#partialTimer);
    this.#owner.onClosed(this);
    this.#owner.events.onPathFailure(this.flow, this.#closeReason);
  }
}
