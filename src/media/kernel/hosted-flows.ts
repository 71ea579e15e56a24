/**
 * Holds the commands of one stream until the directions that they change are back from the kernel.
 *
 *   update     both directions
 *   close      both, and their next packets, whose numbers tell what was lost
 *   a digit    the one that it goes into, and its next packet, so that numbers and time are fresh
 *
 * Where the kernel's last count is missing, an update waits for that packet too: its number tells what the count would have.
 * A digit that would have to wait for long is dropped: beside audio that is still forwarded it would be none.
 */

import { LEAST_KERNEL_TIMEOUT_MS } from '../../config/kernel-timeout.ts';
import { otherSide, SIDES, type Side } from '../../wire/side.ts';
import type { RelayCommand, RelayEvent, RelayWorkerOptions } from '../relay-protocol.ts';
import type { DroppedDigit } from '../media-engine.ts';
import { type FlowRelay, StreamFlows } from './stream-flows.ts';

/** How long the kernel's word is waited for: longer than the table works without a word from the main thread. */
const RETURN_LIMIT_MS = 12_000;

/** How long a digit waits for it: longer than an nft that hangs lasts. */
const DIGIT_LIMIT_MS = 3000;

/** Two packets of audio: whoever sends none in that time is silent. */
const FRESH_MS = 40;

interface HeldCommand {
  /** Directions that have to be here, by who sends. */
  readonly sides: readonly Side[];
  /** Whether the next packet of each of them is waited for, a moment. */
  readonly wantsPacket: boolean;
  /** What is said of a digit that is not played. */
  readonly dropped: DroppedDigit | undefined;
  readonly sinceMs: number;
  readonly run: () => void;
}

/** What came back from the kernel, and where its packets were then. */
interface Return {
  readonly atMs: number;
  readonly received: number;
  readonly isCounted: boolean;
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
  if (kernelReach === undefined || inactivityTimeoutMs < LEAST_KERNEL_TIMEOUT_MS) {
    return undefined;
  }
  const { relay, post, streamKey } = options;
  const flows = new StreamFlows(relay, kernelReach, (event) => post({ ...event, streamKey }));
  const drop = (dropped: DroppedDigit): void => post({ type: 'digitDropped', streamKey, dropped });
  return new HostedFlows(flows, relay, drop);
}

export class HostedFlows {
  readonly #flows: StreamFlows;
  readonly #relay: FlowRelay;
  readonly #drop: (dropped: DroppedDigit) => void;
  readonly #uncounted = new Set<Side>();
  readonly #held: HeldCommand[] = [];
  readonly #returns: Partial<Record<Side, Return>> = {};
  #timer: NodeJS.Timeout | undefined;

  constructor(flows: StreamFlows, relay: FlowRelay, drop: (dropped: DroppedDigit) => void) {
    this.#flows = flows;
    this.#relay = relay;
    this.#drop = drop;
  }

  /** Takes a command that is about flows, or has to wait; `run` is called when it has waited. */
  takes(command: RelayCommand, run: () => void): boolean {
    const nowMs = performance.now();
    if (command.type === 'flowCounted') {
      this.#flows.counted(command.side, command, command.atMs);
      return true;
    }
    if (command.type === 'flowUncounted') {
      this.#uncounted.add(command.side);
      this.#flows.uncounted(command.side, nowMs);
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
    const wantsPacket = command.type !== 'updateStream';
    this.#held.push({ sides, wantsPacket, dropped: droppedBy(command), sinceMs: nowMs, run });
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
    const isCounted = !this.#uncounted.delete(side);
    if (this.#flows.isHere(side)) return;
    this.#flows.returned(side, nowMs);
    this.#returns[side] = { atMs: nowMs, received: this.#relay.receivedPackets(side), isCounted };
    this.#release();
  }

  /** Runs what has waited enough. */
  #release(): void {
    const nowMs = performance.now();
    for (;;) {
      const first = this.#held[0];
      if (first === undefined) break;
      const { sides, dropped, wantsPacket } = first;
      const isBack = this.#areBack(sides);
      if (!isBack && nowMs < limitOf(first)) break;
      if (isBack && !sides.every((side) => this.#isReady(side, wantsPacket, nowMs))) break;
      this.#held.shift();
      if (isBack || dropped === undefined) this.#run(first, nowMs);
      else this.#drop(dropped);
    }
    this.#arm();
  }

  #run({ sides, run }: HeldCommand, nowMs: number): void {
    for (const side of sides) {
      this.#flows.uncounted(side, nowMs);
      this.#flows.returned(side, nowMs);
    }
    run();
  }

  #areBack(sides: readonly Side[]): boolean {
    return sides.every((side) => this.#flows.isHere(side));
  }

  /** Whether enough is known of a direction that is back. */
  #isReady(side: Side, wantsPacket: boolean, nowMs: number): boolean {
    const last = this.#returns[side];
    if (last === undefined || nowMs - last.atMs >= FRESH_MS) return true;
    if (last.isCounted && !wantsPacket) return true;
    return this.#relay.receivedPackets(side) > last.received;
  }

  #arm(): void {
    clearTimeout(this.#timer);
    const first = this.#held[0];
    if (first === undefined) return;
    const waitMs = limitOf(first) - performance.now();
    const isBack = this.#areBack(first.sides);
    this.#timer = setTimeout(() => this.#release(), isBack ? FRESH_MS : Math.max(1, waitMs));
  }
}

/** Until when a command waits for the kernel. */
function limitOf({ sinceMs, dropped }: HeldCommand): number {
  return sinceMs + (dropped === undefined ? RETURN_LIMIT_MS : DIGIT_LIMIT_MS);
}

/** What becomes of a digit that is not played. */
function droppedBy(command: RelayCommand): DroppedDigit | undefined {
  if (command.type !== 'playDigit') return undefined;
  const { to, digit } = command;
  return { to, digitId: digit.digitId, reason: 'media-inactive' };
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
    case 'flowUncounted':
      break;
  }
  return [];
}
