/** Several rtpengines: who serves which call. A call stays where it is until somebody moves it. */

import { NgNode } from './ng-node.ts';
import type { NgNodeOptions, NgObserver } from './ng-node.ts';
import { NodeRest } from './node-rest.ts';
import type { EngineNode } from './rtpengine-node.ts';

export interface EngineNodeView {
  readonly name: string;
  readonly isUp: boolean;
  /** It keeps its calls and gets no new ones. */
  readonly isDraining: boolean;
  /** It has refused a call lately: new ones go to the others, as long as there are any. */
  readonly isResting: boolean;
  readonly calls: number;
}

interface Member {
  readonly node: EngineNode;
  readonly rest: NodeRest;
  isDraining: boolean;
  calls: number;
  /** Number of the call it got last: of nodes with as many calls, the one that has waited longest is next. */
  lastCall: number;
}

export class RtpengineNodes {
  readonly #members: readonly Member[];
  readonly #byCall = new Map<string, Member>();
  readonly #nowMs: () => number;
  #callsEver = 0;

  /** Takes over `nodes`, at least one. */
  constructor(nodes: readonly EngineNode[], nowMs = (): number => performance.now()) {
    this.#nowMs = nowMs;
    this.#members = nodes.map((node) => ({
      node,
      rest: new NodeRest(),
      isDraining: false,
      calls: 0,
      lastCall: 0,
    }));
  }

  /**
   * Resolves when every node has answered its first ping or has not, at most 1.5 s later.
   *
   * @throws Error of the system when a socket cannot be bound.
   */
  static async open(
    nodes: readonly Omit<NgNodeOptions, keyof NgObserver>[],
    observer: NgObserver = {},
  ): Promise<RtpengineNodes> {
    const opened = await Promise.allSettled(
      nodes.map((options) => NgNode.open({ ...options, ...observer })),
    );
    const good = opened.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    const bad = opened.find((result) => result.status === 'rejected');
    if (bad === undefined) return new RtpengineNodes(good);
    await Promise.all(good.map((node) => node.close()));
    throw bad.reason;
  }

  get nodes(): readonly EngineNode[] {
    return this.#members.map(({ node }) => node);
  }

  get views(): readonly EngineNodeView[] {
    const nowMs = this.#nowMs();
    return this.#members.map(({ node, rest, isDraining, calls }) => ({
      name: node.name,
      isUp: node.isUp,
      isDraining,
      isResting: rest.isResting(nowMs),
      calls,
    }));
  }

  /** Where a call is. */
  nodeOf(callId: string): EngineNode | undefined {
    return this.#byCall.get(callId)?.node;
  }

  /**
   * The node of a call, up or not; a new call gets the healthy one with the fewest calls, one that rests only when all
   * do.
   *
   * @returns `undefined` when there is none.
   */
  assign(callId: string): EngineNode | undefined {
    return this.nodeOf(callId) ?? this.#place(callId, []);
  }

  /**
   * Puts a call on another node than its own and those it was refused by.
   *
   * @returns `undefined` when there is none; the call then stays where it is.
   */
  move(callId: string, refusedBy: readonly EngineNode[] = []): EngineNode | undefined {
    const own = this.nodeOf(callId);
    return this.#place(callId, own === undefined ? refusedBy : [own, ...refusedBy]);
  }

  /** `node` did not take a new call. @returns whether others are asked in its place from now on. */
  refused(node: EngineNode): boolean {
    const isBegun = this.#memberOf(node)?.rest.refused(this.#nowMs()) ?? false;
    return isBegun && this.#members.length > 1;
  }

  /** `node` took a new call. */
  accepted(node: EngineNode): void {
    this.#memberOf(node)?.rest.accepted();
  }

  /** The call is over. Idempotent. */
  release(callId: string): void {
    const member = this.#byCall.get(callId);
    if (member === undefined) return;
    member.calls -= 1;
    this.#byCall.delete(callId);
  }

  /** @returns false when no node has that name. */
  setDraining(name: string, isDraining: boolean): boolean {
    const member = this.#members.find(({ node }) => node.name === name);
    if (member === undefined) return false;
    member.isDraining = isDraining;
    return true;
  }

  async close(): Promise<void> {
    await Promise.all(this.#members.map(({ node }) => node.close()));
  }

  #memberOf(node: EngineNode): Member | undefined {
    return this.#members.find((member) => member.node === node);
  }

  #place(callId: string, except: readonly EngineNode[]): EngineNode | undefined {
    const able = this.#members.filter(
      ({ node, isDraining }) => node.isUp && !isDraining && !except.includes(node),
    );
    const nowMs = this.#nowMs();
    const rested = able.filter(({ rest }) => !rest.isResting(nowMs));
    const [first, ...others] = rested.length > 0 ? rested : able;
    if (first === undefined) return undefined;
    const best = others.reduce((one, other) => (comesFirst(other, one) ? other : one), first);
    this.release(callId);
    this.#callsEver += 1;
    best.calls += 1;
    best.lastCall = this.#callsEver;
    this.#byCall.set(callId, best);
    return best.node;
  }
}

function comesFirst(one: Member, other: Member): boolean {
  return one.calls === other.calls ? one.lastCall < other.lastCall : one.calls < other.calls;
}
