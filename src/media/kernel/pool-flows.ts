/** Carries between the relay threads and the kernel: what is steady goes there, what it counts comes back. */

import { isIPv4 } from 'node:net';
import { otherSide, type Side } from '../../wire/side.ts';
import type { LocalMedia } from '../media-engine.ts';
import type { RelayCommand, RelayEvent } from '../relay-protocol.ts';
import type { FlowRequest } from './flow-book.ts';
import type { FlowOwner } from './kernel-path.ts';
import type { SteadyFlow } from './steady-flow.ts';

/** The kernel as far as it is used here. */
export interface FlowCarrier {
  carry(request: FlowRequest, owner: FlowOwner): number | undefined;
  release(id: number): void;
}

export type FlowEvent = RelayEvent & { readonly type: 'flowSteady' | 'flowBroken' };

/** Our own ends of a stream. */
type Bound = Readonly<Record<Side, LocalMedia>>;

interface Carried {
  readonly id: number;
}

export class PoolFlows {
  readonly #kernel: FlowCarrier;
  readonly #bound = new Map<number, Bound>();
  /** By stream and side. */
  readonly #carried = new Map<string, Carried>();

  constructor(kernel: FlowCarrier) {
    this.#kernel = kernel;
  }

  /** A stream is there. */
  opened(streamKey: number, bound: Bound): void {
    this.#bound.set(streamKey, bound);
  }

  /** A stream is closed, or its thread is dead: whatever the kernel has of it comes out. */
  ended(streamKey: number): void {
    for (const side of ['caller', 'callee'] as const) {
      const carried = this.#carried.get(keyOf(streamKey, side));
      if (carried !== undefined) this.#kernel.release(carried.id);
    }
  }

  /** A stream will not be heard of again. */
  closed(streamKey: number): void {
    this.ended(streamKey);
    this.#bound.delete(streamKey);
  }

  /** What a thread says; the answers go to `post`. */
  receive(event: FlowEvent, post: (command: RelayCommand) => void): void {
    const { streamKey, side } = event;
    const carried = this.#carried.get(keyOf(streamKey, side));
    if (event.type === 'flowBroken' && carried !== undefined) {
      this.#kernel.release(carried.id);
      return;
    }
    const bound = this.#bound.get(streamKey);
    const isNew = event.type === 'flowSteady' && carried === undefined && bound !== undefined;
    const request = isNew ? requestOf(event.flow, side, bound) : undefined;
    const isTaken = request !== undefined && this.#carry(event, request, post);
    if (!isTaken) post({ type: 'flowCarried', streamKey, side, isCarried: false });
  }

  #carry(
    { streamKey, side }: FlowEvent,
    request: FlowRequest,
    post: (command: RelayCommand) => void,
  ): boolean {
    const key = keyOf(streamKey, side);
    const id = this.#kernel.carry(request, {
      carried: () => post({ type: 'flowCarried', streamKey, side, isCarried: true }),
      counted: (count) => post({ type: 'flowCounted', streamKey, side, ...count }),
      gone: (isCounted) => {
        this.#carried.delete(key);
        if (!isCounted) post({ type: 'flowUncounted', streamKey, side });
        post({ type: 'flowCarried', streamKey, side, isCarried: false });
      },
    });
    if (id === undefined) return false;
    this.#carried.set(key, { id });
    return true;
  }
}

function keyOf(streamKey: number, side: Side): string {
  return `${streamKey} ${side}`;
}

/** The flow between our own ends; `undefined` where an address is not IPv4. */
function requestOf(flow: SteadyFlow, side: Side, bound: Bound): FlowRequest | undefined {
  const { source, destination, head, ssrc } = flow;
  const receiver = endOf(bound[side]);
  const sender = endOf(bound[otherSide(side)]);
  const ends = [source, destination, receiver, sender];
  if (!ends.every(({ address }) => isIPv4(address))) return undefined;
  return { source, receiver, sender, destination, head, ssrc };
}

function endOf({ address, rtpPort }: LocalMedia): { address: string; port: number } {
  return { address, port: rtpPort };
}
