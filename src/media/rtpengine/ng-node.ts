/**
 * One rtpengine over its ng protocol.
 *
 *   request --> health --> library writes --> exchange --> socket, again until answered
 *   socket --> exchange (filter) --> library reads --> result checked --> caller
 *
 * Neither digits nor SDP are logged or printed here.
 */

import { DEADLINE_MS, NgExchange } from './ng-exchange.ts';
import type { NgDropReason, NgPending, NgTarget } from './ng-exchange.ts';
import { NgHealth } from './ng-health.ts';
import { NgLibrary } from './ng-library.ts';
import {
  checkReply,
  checkSdpReply,
  failure,
  MAX_REQUEST_BYTES,
  requestProblem,
} from './ng-result.ts';
import type { NgCommand, NgReply } from './ng-result.ts';
import { NodeAddress } from './node-address.ts';
import type { NodeAddressOptions } from './node-address.ts';
import type {
  EngineCallRequest,
  EngineDtmfRequest,
  EngineFailure,
  EngineFailureReason,
  EngineNode,
  EngineResult,
  EngineSdpRequest,
  EngineSdpResult,
  EngineTagRequest,
  NgDictionary,
} from './rtpengine-node.ts';
import { utf8Sdp } from './sdp-utf8.ts';

/** A node that has not answered for so long is asked whether it lives. */
const PING_EVERY_MS = 2000;

/** What operators see of the traffic with an engine. */
export interface NgObserver {
  /** A request that was sent has ended. */
  onRequest?(request: EngineRequestReport): void;
  onUp?(node: string, isUp: boolean): void;
  /** A datagram at the control socket that was no answer to anything. */
  onDrop?(node: string, reason: NgDropReason): void;
}

export interface EngineRequestReport {
  readonly command: NgCommand;
  readonly node: string;
  readonly seconds: number;
  readonly result: 'ok' | EngineFailureReason;
}

export interface NgNodeOptions extends NgObserver, NodeAddressOptions {
  /** Default `host:port`. */
  readonly name?: string | undefined;
  /** IPv4 address to ask from; default any. */
  readonly localAddress?: string | undefined;
}

type Check<Result> = (command: NgCommand, reply: NgReply) => Result;
type Settle = (reply: NgReply | EngineFailure) => void;

export class NgNode implements EngineNode {
  readonly name: string;
  /** Datagrams that were not passed on, by cause. */
  readonly drops: Record<NgDropReason, number> = {
    stranger: 0,
    'no-cookie': 0,
    'not-awaited': 0,
    malformed: 0,
  };
  readonly #options: NgNodeOptions;
  readonly #address: NodeAddress;
  readonly #exchange = new NgExchange();
  readonly #health = new NgHealth();
  readonly #listeners = new Set<(isUp: boolean) => void>();
  readonly #waiting = new Map<string, Settle>();
  #library: NgLibrary | undefined;
  #timer: NodeJS.Timeout | undefined;
  #timerAtMs = Infinity;
  #pingTimer: NodeJS.Timeout | undefined;
  #isProbing = false;
  #answeredAtMs = -Infinity;
  /** Of the last datagram that the system refused to send. */
  #sendProblem = '';

  private constructor(options: NgNodeOptions) {
    this.name = options.name ?? `${options.host}:${options.port}`;
    this.#options = options;
    this.#address = new NodeAddress(options);
  }

  /**
   * Resolves when the first ping is answered or has failed: a node that is not there now may come later.
   *
   * @throws Error of the system when no socket can be bound to `localAddress`.
   */
  static async open(options: NgNodeOptions): Promise<NgNode> {
    const node = new NgNode(options);
    node.#library = await NgLibrary.open({
      localAddress: options.localAddress,
      onDatagram: (bytes, source) => node.#arrived(bytes, source),
    });
    options.onUp?.(node.name, false);
    node.#pingTimer = setInterval(() => {
      if (!node.#health.isUp || node.#isQuietFor(PING_EVERY_MS)) void node.#probe();
    }, PING_EVERY_MS);
    await node.#probe();
    return node;
  }

  get host(): string {
    return this.#options.host;
  }

  get address(): string | undefined {
    return this.#address.target?.address;
  }

  get isUp(): boolean {
    return this.#library !== undefined && this.#health.isUp;
  }

  /** Also asked of a node that is down. */
  async ping(): Promise<EngineResult> {
    return await this.#request('ping', {}, checkReply);
  }

  async offer(request: EngineSdpRequest): Promise<EngineSdpResult> {
    return await this.#sdpRequest('offer', request);
  }

  async answer(request: EngineSdpRequest): Promise<EngineSdpResult> {
    return await this.#sdpRequest('answer', request);
  }

  async delete(request: EngineCallRequest): Promise<EngineResult> {
    return await this.#request('delete', request, checkReply);
  }

  async query(request: EngineCallRequest): Promise<EngineResult> {
    return await this.#request('query', request, checkReply);
  }

  async playDtmf(request: EngineDtmfRequest): Promise<EngineResult> {
    return await this.#request('play DTMF', request, checkReply);
  }

  async blockDtmf(request: EngineTagRequest): Promise<EngineResult> {
    return await this.#request('block DTMF', request, checkReply);
  }

  async unblockDtmf(request: EngineTagRequest): Promise<EngineResult> {
    return await this.#request('unblock DTMF', request, checkReply);
  }

  onChange(listener: (isUp: boolean) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  async close(): Promise<void> {
    const library = this.#library;
    if (library === undefined) return;
    this.#library = undefined;
    clearInterval(this.#pingTimer);
    clearTimeout(this.#timer);
    for (const { cookie } of this.#exchange.abandon()) {
      this.#settle(cookie, failure('node-down', 'closed'));
    }
    this.#listeners.clear();
    await library.close();
  }

  async #sdpRequest(command: NgCommand, request: EngineSdpRequest): Promise<EngineSdpResult> {
    const sdp = utf8Sdp(request.sdp);
    if (sdp === undefined) return failure('engine-error', 'the SDP is not UTF-8');
    return await this.#request(command, { ...request, sdp }, checkSdpReply);
  }

  async #request<Result extends EngineResult>(
    command: NgCommand,
    request: NgDictionary,
    check: Check<Result>,
  ): Promise<Result | EngineFailure> {
    if (command !== 'ping' && !this.#health.isUp) return failure('node-down', 'no answers of late');
    const problem = requestProblem(request);
    if (problem !== undefined) return failure('engine-error', problem);
    const library = this.#library;
    if (library === undefined) return failure('node-down', 'closed');
    const { target } = this.#address;
    if (target === undefined) return failure('node-down', 'its name has no address');
    const encoded = library.encode(command, request, target);
    if (encoded.bytes.length > MAX_REQUEST_BYTES) {
      library.forget(encoded.cookie);
      return failure('engine-error', 'the request is too long');
    }
    const sentAtMs = performance.now();
    const reply = await new Promise<NgReply | EngineFailure>((settle) => {
      const { cookie, bytes } = encoded;
      this.#waiting.set(cookie, settle);
      this.#exchange.begin(cookie, bytes, target, sentAtMs);
      this.#sendBytes(bytes, target);
      this.#arm();
      void encoded.reply.then((read) => this.#settle(cookie, read));
    });
    const result = reply.type === 'failed' ? reply : check(command, reply);
    this.#options.onRequest?.({
      command,
      node: this.name,
      seconds: (performance.now() - sentAtMs) / 1000,
      result: result.type === 'ok' ? 'ok' : result.reason,
    });
    const isAnswered = reply.type !== 'failed';
    if (isAnswered) this.#answered(command === 'ping' && result.type === 'ok');
    return result;
  }

  #arrived(bytes: Buffer<ArrayBuffer>, source: NgTarget): void {
    const arrival = this.#exchange.arrived(bytes, source);
    if (arrival.type === 'answer') {
      this.#library?.deliver(bytes, source);
      return;
    }
    this.drops[arrival.reason] += 1;
    this.#options.onDrop?.(this.name, arrival.reason);
  }

  #settle(cookie: string, reply: NgReply | EngineFailure): void {
    const settle = this.#waiting.get(cookie);
    this.#waiting.delete(cookie);
    settle?.(reply);
  }

  #sendBytes(bytes: Buffer, target: NgTarget): void {
    this.#library?.send(bytes, target, (code) => {
      this.#sendProblem = code;
    });
  }

  #arm(): void {
    const nextAtMs = this.#exchange.nextAtMs;
    if (nextAtMs === undefined || nextAtMs >= this.#timerAtMs) return;
    clearTimeout(this.#timer);
    this.#timerAtMs = nextAtMs;
    this.#timer = setTimeout(
      () => {
        // After a stall the answers lie in the socket: they are read before anything is called late.
        setImmediate(() => this.#repeatAndExpire());
      },
      Math.max(0, Math.ceil(nextAtMs - performance.now())),
    );
  }

  #repeatAndExpire(): void {
    this.#timerAtMs = Infinity;
    if (this.#library === undefined) return;
    const { repeat, expired } = this.#exchange.due(performance.now());
    for (const { bytes, target } of repeat) this.#sendBytes(bytes, target);
    for (const pending of expired) this.#expire(pending);
    this.#arm();
  }

  #expire(pending: NgPending): void {
    const { cookie } = pending;
    this.#library?.forget(cookie);
    const wasUp = this.#health.isUp;
    this.#health.missedDeadline(pending.sentAtMs, performance.now());
    this.#settle(cookie, lateness(pending, this.#sendProblem));
    this.#sendProblem = '';
    this.#tellChange(wasUp);
    if (this.#health.isUp && this.#isQuietFor(DEADLINE_MS)) void this.#probe();
  }

  #answered(isPing: boolean): void {
    this.#answeredAtMs = performance.now();
    const wasUp = this.#health.isUp;
    this.#health.answered(isPing);
    this.#tellChange(wasUp);
  }

  #tellChange(wasUp: boolean): void {
    const { isUp } = this.#health;
    if (isUp === wasUp || this.#library === undefined) return;
    this.#options.onUp?.(this.name, isUp);
    for (const listener of this.#listeners) listener(isUp);
  }

  #isQuietFor(ms: number): boolean {
    return performance.now() - this.#answeredAtMs >= ms;
  }

  /**
   * Asks whether the node lives, until it answers or is down: the next deadline of the row must not wait for somebody
   * who has something to ask. What the name of a node that is down stands for may have changed.
   */
  async #probe(): Promise<void> {
    if (this.#isProbing) return;
    this.#isProbing = true;
    if (!this.#health.isUp) await this.#address.refresh();
    do await this.ping();
    while (this.isUp && this.#isQuietFor(DEADLINE_MS));
    this.#isProbing = false;
  }
}

/** Why a request has no answer; `sendProblem` is '' when it could be sent. */
function lateness({ malformed, strangeSource }: NgPending, sendProblem: string): EngineFailure {
  if (malformed > 0) return failure('bad-answer', 'no ng dictionary');
  if (sendProblem !== '') return failure('timeout', `not sent: ${sendProblem}`);
  if (strangeSource === undefined) return failure('timeout', 'no answer in time');
  const { address, port } = strangeSource;
  return failure('timeout', `answered from ${address}:${port} instead of its own address`);
}
