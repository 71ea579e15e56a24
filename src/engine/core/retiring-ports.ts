import type { OpenPort } from '../transport/open-port.ts';
import { isOwnEnd } from '../transport/transports.ts';
import type { Core } from './core.ts';
import type { DialogSession } from './dialog-session.ts';
import { endSession, sendBye } from './engine-request.ts';
import { PortRetirement } from './port-retirement.ts';

const LOOK_MS = 250;

interface Retiring {
  readonly retirement: PortRetirement;
  /** What had no dialog yet when the port was retired. */
  readonly pending: ReadonlySet<string>;
}

/** Watches the listen points of one engine that take nothing new, and closes each when nothing is under way on it. */
export class RetiringPorts {
  readonly #core: Core;
  readonly #onNone: () => void;
  readonly #watched = new Map<OpenPort, Retiring>();
  #timer: NodeJS.Timeout | undefined;

  /** @param onNone the last one that was retired has been closed or is served again. */
  constructor(core: Core, onNone: () => void) {
    this.#core = core;
    this.#onNone = onNone;
  }

  /** What is served has changed. */
  update(): void {
    const { retiring } = this.#core.layer.ports;
    for (const port of this.#watched.keys()) {
      if (!retiring.includes(port)) this.#watched.delete(port);
    }
    for (const port of retiring) {
      if (this.#watched.has(port)) continue;
      const pending = this.#pending();
      const isBusy = this.#isBusy(port, pending);
      this.#watched.set(port, {
        retirement: new PortRetirement(isBusy, performance.now()),
        pending,
      });
    }
    if (this.#watched.size > 0) this.#timer ??= setInterval(() => this.#look(), LOOK_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#watched.clear();
  }

  #look(): void {
    const nowMs = performance.now();
    for (const [port, { retirement, pending }] of this.#watched) {
      const step = retirement.step(this.#isBusy(port, pending), nowMs);
      if (step === 'end') this.#end(port);
      if (step !== 'over') continue;
      this.#watched.delete(port);
      void this.#core.layer.ports.leave(port);
    }
    if (this.#watched.size > 0) return;
    this.stop();
    this.#onNone();
  }

  #pending(): ReadonlySet<string> {
    const { answers, invites, subscribes } = this.#core;
    return new Set([...answers.keys(), ...invites.keys(), ...subscribes.keys()]);
  }

  #isBusy(port: OpenPort, pending: ReadonlySet<string>): boolean {
    return this.#isPending(pending) || this.#sessionsOn(port, 1).length > 0;
  }

  #isPending(ids: ReadonlySet<string>): boolean {
    const { answers, invites, subscribes } = this.#core;
    for (const id of ids) {
      if (answers.has(id) || invites.has(id) || subscribes.has(id)) return true;
    }
    return false;
  }

  /** The dialogs whose own end it is, or whose peer was last heard there. */
  #sessionsOn({ listenPoint }: OpenPort, most = Number.POSITIVE_INFINITY): DialogSession[] {
    const found: DialogSession[] = [];
    for (const session of this.#core.dialogs.values()) {
      const { local, flow } = session;
      const { protocol, address, port } = local;
      const isHere =
        isOwnEnd(listenPoint, { protocol, localAddress: address, localPort: port }) ||
        (flow !== undefined && isOwnEnd(listenPoint, flow));
      if (isHere) found.push(session);
      if (found.length >= most) break;
    }
    return found;
  }

  /** Peer and application are told of calls; a subscription ends when one of them next asks (481). */
  #end(port: OpenPort): void {
    for (const session of this.#sessionsOn(port)) {
      const { method, phase } = session.dialog;
      const isCall = method === 'INVITE' && phase === 'confirmed';
      if (isCall) sendBye(this.#core, session, 'listen point closed');
      else endSession(this.#core, session);
    }
  }
}
