/**
 * Holds the commands of one stream until the directions that they change are back from the kernel.
 *
 *   update, close    both directions
 *   a digit          the one that it goes into, and its next packet, so that numbers and time are fresh
 */

import { otherSide, SIDES, type Side } from '../../wire/side.ts';
import type { RelayCommand, RelayEvent, RelayWorkerOptions } from '../relay-protocol.ts';
import { type FlowRelay, StreamFlows } from './stream-flows.ts';

/** How long the kernel's word is waited for: behind that the worker goes on without it. */
const RETURN_LIMIT_MS = 1000;

/** Two packets of audio: whoever sends none in that time is silent. */
const FRESH_MS = 40;

/** With less patience than this the silence of a peer would be judged before the kernel has been asked. */
const LEAST_TIMEOUT_MS = 5000;

interface HeldCommand {
  /** Directions that have to be here, by who sends. */
  readonly sides: readonly Side[];
  readonly isDigit: boolean;
  readonly sinceMs: number;
  readonly run: () => void;
}

/** What came back from the kernel, and where its packets were then. */
interface Return {
  readonly atMs: number;
  readonly received: number;
}

export interface HostedFlowsOptions {
  readonly streamKey: number;
  readonly relay: FlowRelay;
  readonly post: (event: RelayEvent) => void;
}

/** The flows of a stream, if the thread has a kernel to hand them to. */
export function openFlows(
  { kernelReach, inactivityTimeoutMs }: RelayWorkerOptions,
  options: HostedFlowsOptions,
): HostedFlows | undefined {
  if (kernelReach === undefined || inactivityTimeoutMs < LEAST_TIMEOUT_MS) return undefined;
  const { relay, post, streamKey } = options;
  const flows = new StreamFlows(relay, kernelReach, (event) => post({ ...event, streamKey }));
  return new HostedFlows(flows, relay);
}

export class HostedFlows {
  readonly #flows: StreamFlows;
  readonly #relay: FlowRelay;
  readonly #held: HeldCommand[] = [];
  readonly #returns: Partial<Record<Side, Return>> = {};
  #timer: NodeJS.Timeout | undefined;

  constructor(flows: StreamFlows, relay: FlowRelay) {
    this.#flows = flows;
    this.#relay = relay;
  }

  /** Takes a command that is about flows, or has to wait; `run` is called when it has waited. */
  takes(command: RelayCommand, run: () => void): boolean {
    const nowMs = performance.now();
    if (command.type === 'flowCounted') {
      this.#flows.counted(command.side, command, command.atMs);
      return true;
    }
    if (command.type === 'flowCarried') {
      if (!command.isCarried) this.#returned(command.side, nowMs);
      return true;
    }
    const sides = sidesOf(command);
    if (sides.length === 0) return false;
    const isFree = this.#held.length === 0 && sides.every((side) => this.#flows.isHere(side));
    if (isFree) return false;
    this.#held.push({ sides, isDigit: command.type === 'playDigit', sinceMs: nowMs, run });
    for (const side of sides) this.#flows.bringBack(side);
    this.#arm();
    return true;
  }

  /** Whether all packets come to the relay and nothing waits for one. */
  get isIdle(): boolean {
    return this.#held.length === 0 && SIDES.every((side) => this.#flows.isHere(side));
  }

  /** A packet came to the relay. */
  received(): void {
    this.#flows.received();
    if (this.#held.length > 0) this.#release();
  }

  /** To be called each second. */
  look(nowMs: number): void {
    if (this.#held.length === 0) this.#flows.look(nowMs);
  }

  /** Forgets what waits: the stream is closed. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#held.length = 0;
  }

  #returned(side: Side, nowMs: number): void {
    if (this.#flows.isHere(side)) return;
    this.#flows.returned(side, nowMs);
    this.#returns[side] = { atMs: nowMs, received: this.#relay.receivedPackets(side) };
    this.#release();
  }

  /** Runs what has waited enough. */
  #release(): void {
    const nowMs = performance.now();
    for (;;) {
      const first = this.#held[0];
      if (first === undefined || !this.#isReady(first, nowMs)) break;
      this.#held.shift();
      first.run();
    }
    this.#arm();
  }

  #isReady({ sides, isDigit, sinceMs }: HeldCommand, nowMs: number): boolean {
    if (nowMs - sinceMs >= RETURN_LIMIT_MS) {
      for (const side of sides) this.#flows.returned(side, nowMs);
      return true;
    }
    if (!sides.every((side) => this.#flows.isHere(side))) return false;
    return !isDigit || sides.every((side) => this.#isFresh(side, nowMs));
  }

  #isFresh(side: Side, nowMs: number): boolean {
    const last = this.#returns[side];
    if (last === undefined || nowMs - last.atMs >= FRESH_MS) return true;
    return this.#relay.receivedPackets(side) > last.received;
  }

  #arm(): void {
    clearTimeout(this.#timer);
    const first = this.#held[0];
    if (first === undefined) return;
    const isBack = first.sides.every((side) => this.#flows.isHere(side));
    const waitMs = first.sinceMs + RETURN_LIMIT_MS - performance.now();
    this.#timer = setTimeout(() => this.#release(), isBack ? FRESH_MS : Math.max(1, waitMs));
  }
}

/** Directions that a command changes, by who sends. */
function sidesOf(command: RelayCommand): readonly Side[] {
  switch (command.type) {
    case 'updateStream':
    case 'closeStream':
      return SIDES;
    case 'playDigit':
      return [otherSide(command.to)];
    case 'openStream':
    case 'readCounters':
    case 'flowCarried':
    case 'flowCounted':
      break;
  }
  return [];
}
