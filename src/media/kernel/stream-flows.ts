/**
 * Which directions of one stream go by the kernel, as its relay thread sees it. By the side that sends:
 *
 *   here --steady at two looks in a row--> away --no longer steady, or wanted here--> returning
 *    ^                                      |                                             |
 *    +-----refused, or the kernel is down---+--------------------------------'not carried'+
 *
 * A direction that returns is still the kernel's until that is said: nothing may be put into it before.
 */

import { SIDES, type Side } from '../../wire/side.ts';
import { isSameFlow, type KernelReach, type SteadyFlow } from './steady-flow.ts';
import type { AwayCount } from '../relay.ts';

/** What is said to the main thread. */
export type FlowEvent =
  | { readonly type: 'flowSteady'; readonly side: Side; readonly flow: SteadyFlow }
  | { readonly type: 'flowBroken'; readonly side: Side };

/** The relay as far as it is asked here. */
export interface FlowRelay {
  steadyFlow(side: Side): SteadyFlow | undefined;
  isPressed(side: Side): boolean;
  readonly translatesDigits: boolean;
  receivedPackets(side: Side): number;
  beginAway(side: Side, nowMs: number): void;
  countAway(side: Side, count: AwayCount, nowMs: number): void;
  missAway(side: Side, nowMs: number): void;
  endAway(side: Side): void;
}

type SideState =
  | {
      readonly type: 'here';
      /** As the last look found it. */
      readonly flow: SteadyFlow | undefined;
      readonly received: number;
      readonly notBeforeMs: number;
    }
  | { readonly type: 'away'; readonly flow: SteadyFlow }
  | { readonly type: 'returning' };

/** Fewer packets between two looks are no talk: not worth two trips to the kernel. */
const LEAST_PACKETS = 10;

/** A direction that was refused is not offered again for so long. */
const REFUSED_MS = 10_000;

const NEW: SideState = { type: 'here', flow: undefined, received: 0, notBeforeMs: 0 };

export class StreamFlows {
  readonly #relay: FlowRelay;
  readonly #reach: KernelReach;
  readonly #say: (event: FlowEvent) => void;
  readonly #states: Record<Side, SideState> = { caller: NEW, callee: NEW };

  constructor(relay: FlowRelay, reach: KernelReach, say: (event: FlowEvent) => void) {
    this.#relay = relay;
    this.#reach = reach;
    this.#say = say;
  }

  /** Whether none of the packets of `side` go by the kernel. */
  isHere(side: Side): boolean {
    return this.#states[side].type === 'here';
  }

  /** To be called each second: offers what is steady. */
  look(nowMs: number): void {
    const isAllowed = this.#reach === 'every' || !this.#relay.translatesDigits;
    for (const side of SIDES) {
      const state = this.#states[side];
      const flow = isAllowed ? this.#relay.steadyFlow(side) : undefined;
      if (state.type === 'here') this.#consider(side, state, flow, nowMs);
      else if (state.type === 'away' && (flow === undefined || !isSameFlow(flow, state.flow))) {
        this.bringBack(side);
      }
    }
  }

  /** A packet came here: brings back what it says is steady no more. */
  received(): void {
    for (const side of SIDES) {
      const state = this.#states[side];
      if (state.type !== 'away') continue;
      const flow = this.#relay.steadyFlow(side);
      // Another payload type now and then, such as comfort noise, is none of the kernel's and does no harm.
      const isSteady =
        flow !== undefined && isSameFlow({ ...flow, head: state.flow.head }, state.flow);
      if (!isSteady) this.bringBack(side);
    }
  }

  /** Asks for a direction back; it is here once the kernel says so. */
  bringBack(side: Side): void {
    if (this.#states[side].type !== 'away') return;
    this.#states[side] = { type: 'returning' };
    this.#say({ type: 'flowBroken', side });
  }

  /** The kernel has no packets of `side`, or no more. */
  returned(side: Side, nowMs: number): void {
    const { type } = this.#states[side];
    if (type === 'here') return;
    const notBeforeMs = type === 'away' ? nowMs + REFUSED_MS : 0;
    const received = this.#relay.receivedPackets(side);
    this.#states[side] = { type: 'here', flow: undefined, received, notBeforeMs };
    this.#relay.endAway(side);
  }

  /** What the kernel has forwarded of `side` since the last time. */
  counted(side: Side, count: AwayCount, atMs: number): void {
    this.#relay.countAway(side, count, atMs);
  }

  /** What it has forwarded of `side` since then will not be said. */
  uncounted(side: Side, nowMs: number): void {
    if (!this.isHere(side)) this.#relay.missAway(side, nowMs);
  }

  #consider(
    side: Side,
    before: SideState & { type: 'here' },
    flow: SteadyFlow | undefined,
    nowMs: number,
  ): void {
    const received = this.#relay.receivedPackets(side);
    const isTalking = received - before.received >= LEAST_PACKETS;
    const isSame = flow !== undefined && before.flow !== undefined && isSameFlow(flow, before.flow);
    if (isSame && isTalking && nowMs >= before.notBeforeMs && !this.#relay.isPressed(side)) {
      this.#states[side] = { type: 'away', flow };
      this.#relay.beginAway(side, nowMs);
      this.#say({ type: 'flowSteady', side, flow });
    } else {
      this.#states[side] = { type: 'here', flow, received, notBeforeMs: before.notBeforeMs };
    }
  }
}
