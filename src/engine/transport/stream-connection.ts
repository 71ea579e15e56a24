import type { Socket } from 'node:net';
import { plainAddress } from './address.ts';
import type { Flow, ListenPoint } from './flow.ts';
import { KeepAlive } from './keep-alive.ts';
import { StreamFramer } from './stream-framing.ts';
import type { FramerOutput } from './stream-framing.ts';
import { reasonOf } from './tls-handshakes.ts';
import type { TransportEvents } from './transport-events.ts';
import type { TransportLimits } from './transport-limits.ts';

const PING = Buffer.from('\r\n\r\n');
const FIRST_REST_MS = 50;
const LAST_REST_MS = 2000;
const PONG = Buffer.from('\r\n');

/** What a connection needs to know of the transport it belongs to. */
export interface ConnectionOwner {
  readonly listenPoint: ListenPoint;
  readonly limits: TransportLimits;
  readonly events: TransportEvents;
  onClosed(connection: StreamConnection, reason: string): void;
}

/** Where a connection comes from and what it may be used for. */
export interface ConnectionOrigin {
  readonly id: number;
  readonly isOutgoing: boolean;
  /** Requests for this peer may use it. */
  readonly peerKey: string;
}

/**
 * One established stream connection: frames in, bytes out, closed when idle, stuck in a message or too slow.
 *
 * The flow names the remote end as we reach it, and our end by the listen point it belongs to.
 */
export class StreamConnection {
  readonly flow: Flow & { readonly connectionId: number };
  readonly isOutgoing: boolean;
  readonly peerKey: string;
  readonly #socket: Socket;
  readonly #owner: ConnectionOwner;
  readonly #framer: StreamFramer;
  #keepAlive: KeepAlive | undefined;
  #hasReceived = false;
  #partialTimer: NodeJS.Timeout | undefined;
  /** Whether the last chunk held a message that was not let in. */
  #hasDropped = false;
  #restMs = 0;
  #restTimer: NodeJS.Timeout | undefined;
  #closeReason = 'connection closed';

  constructor(socket: Socket, origin: ConnectionOrigin, owner: ConnectionOwner) {
    this.isOutgoing = origin.isOutgoing;
    this.peerKey = origin.peerKey;
    this.#socket = socket;
    this.#owner = owner;
    this.#framer = new StreamFramer(owner.limits.message);
    this.flow = {
      protocol: owner.listenPoint.protocol,
      localAddress: plainAddress(socket.localAddress ?? owner.listenPoint.address),
      localPort: owner.listenPoint.port,
      remoteAddress: plainAddress(socket.remoteAddress ?? ''),
      remotePort: socket.remotePort ?? 0,
      connectionId: origin.id,
    };
    this.#keepAlive = this.#startKeepAlive();
    socket.setNoDelay(true);
    socket.setKeepAlive(true, 60_000);
    socket.setTimeout(owner.limits.idleTimeoutMs, () => {
      this.abort('connection idle');
    });
    socket.on('data', (chunk) => {
      if (typeof chunk !== 'string') this.#receive(chunk);
    });
    socket.on('error', (error) => {
      this.#closeReason = reasonOf(error);
    });
    socket.on('close', () => {
      this.#onClose();
    });
  }

  get isOpen(): boolean {
    return this.#socket.writable && !this.#socket.destroyed;
  }

  /** Whether the peer has ever sent anything. */
  get hasReceived(): boolean {
    return this.#hasReceived;
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

  /** Pings at the pace that its owner has now. */
  pingAnew(): void {
    this.#keepAlive?.stop();
    this.#keepAlive = this.isOpen ? this.#startKeepAlive() : undefined;
  }

  /** Closes at once; what is queued is lost. */
  abort(reason: string): void {
    this.#closeReason = reason;
    this.#socket.destroy();
  }

  #receive(chunk: Buffer): void {
    this.#hasReceived = true;
    this.#keepAlive?.onBytes(chunk);
    this.#hasDropped = false;
    for (const output of this.#framer.push(chunk)) this.#handle(output);
    this.#watchPartial();
    this.#pace();
  }

  #handle(output: FramerOutput): void {
    switch (output.type) {
      case 'message':
        if (this.#owner.events.isAdmitted?.(output.bytes, this.flow.remoteAddress) !== false) {
          this.#owner.events.onMessage(output.bytes, this.flow);
        } else {
          this.#hasDropped = true;
        }
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

  /** Who sends more than is let in is read ever more slowly, so that its own system holds it back. */
  #pace(): void {
    this.#restMs = this.#hasDropped
      ? Math.min(Math.max(FIRST_REST_MS, this.#restMs * 2), LAST_REST_MS)
      : 0;
    if (this.#restMs === 0 || this.#socket.destroyed) return;
    this.#socket.pause();
    clearTimeout(this.#restTimer);
    this.#restTimer = setTimeout(() => {
      this.#socket.resume();
    }, this.#restMs);
  }

  #startKeepAlive(): KeepAlive | undefined {
    const { pingIntervalMs, pongTimeoutMs } = this.#owner.limits;
    if (!this.isOutgoing || pingIntervalMs === 0) return undefined;
    return new KeepAlive({
      intervalMs: pingIntervalMs,
      pongTimeoutMs,
      ping: () => void this.send(PING),
      giveUp: () => this.abort('ping not answered'),
    });
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
    clearTimeout(this.#restTimer);
    this.#keepAlive?.stop();
    this.#owner.onClosed(this, this.#closeReason);
    this.#owner.events.onPathFailure(this.flow, this.#closeReason);
  }
}
