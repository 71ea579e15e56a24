/**
 * The flows of this process in the kernel's table: what nft is to be told next, and what its answers mean.
 *
 *   routing --routed--> waiting --batch 'add'--> adding --done--> carried
 *      |                   |                        |                |
 *      +------release------+                        +----release-----+--> leaving --batch 'remove'--> removing
 *      v                                                                                                 |
 *     gone <----------------------------------------------------------------------------done-------------+
 *
 * One batch is with nft at a time; what is wanted meanwhile is gathered for the next one. Flows that leave come
 * first, then those that come, then the lease, then the counters, map by map.
 */

import {
  type ByteOrder,
  carryText,
  type FlowCount,
  type KernelFlow,
  leaseText,
  type NextHop,
  parseComplaint,
  parseCounts,
  readText,
  releaseText,
  shardOf,
} from './nft-text.ts';

/** A flow that should go by the kernel. */
export type FlowRequest = Omit<KernelFlow, 'id' | 'hop'>;

export type FlowNews =
  | { readonly type: 'carried'; readonly id: number }
  /** Since the last count, which may be nothing. */
  | ({ readonly type: 'counted' } & FlowCount)
  /** None of its packets go by the kernel any more, or ever did. */
  | { readonly type: 'gone'; readonly id: number };

export interface Batch {
  readonly type: 'add' | 'remove' | 'renew' | 'read';
  readonly text: string;
  readonly ids: readonly number[];
}

/** `broken`: the table is not what the book says. */
export type BatchResult =
  | { readonly type: 'done'; readonly news: readonly FlowNews[] }
  | { readonly type: 'broken'; readonly reason: string };

export interface FlowBookOptions {
  readonly table: string;
  readonly order: ByteOrder;
  readonly leaseSeconds: number;
}

type FlowState = 'waiting' | 'adding' | 'carried' | 'leaving' | 'removing';

interface Entry {
  readonly flow: KernelFlow;
  state: FlowState;
  /** To be taken out as soon as it is in. */
  isUnwanted: boolean;
  packets: number;
  bytes: number;
}

/** Keeps nft below about 20 ms a batch. */
const MAX_IN_BATCH = 40;

/** How often the counters of a map are read, and how much of its time nft may spend on them. */
const READ_INTERVAL_MS = 1000;
const READ_SHARE = 0.05;

/** Parts of the lease after which it is renewed. */
const RENEWALS_PER_LEASE = 4;

export class FlowBook {
  readonly #options: FlowBookOptions;
  readonly #routing = new Map<number, FlowRequest>();
  readonly #flows = new Map<number, Entry>();
  #lastId = 0;
  #batch: (Batch & { readonly sinceMs: number }) | undefined;
  /** Flows to be added one by one: together they were refused. */
  #suspects = 0;
  #renewAtMs: number;
  /** Maps to be read in this round. */
  #unread: number[] = [];
  #roundAtMs: number;
  #readAtMs = 0;

  constructor(options: FlowBookOptions, nowMs: number) {
    this.#options = options;
    this.#renewAtMs = nowMs + this.#renewMs;
    this.#roundAtMs = nowMs;
  }

  /** Flows asked for or there. */
  get size(): number {
    return this.#routing.size + this.#flows.size;
  }

  /** Flows that go by the kernel now. */
  get carried(): number {
    let count = 0;
    for (const { state } of this.#flows.values()) if (state === 'carried') count += 1;
    return count;
  }

  /** The flows in the table or on their way there. */
  get flows(): readonly KernelFlow[] {
    return [...this.#flows.values()].map(({ flow }) => flow);
  }

  /** Notes a flow; its number. */
  want(request: FlowRequest): number {
    this.#lastId += 1;
    this.#routing.set(this.#lastId, request);
    return this.#lastId;
  }

  /** The way to the destination of a flow is known; `undefined`: there is none. */
  routed(id: number, hop: NextHop | undefined): FlowNews[] {
    const request = this.#routing.get(id);
    if (request === undefined) return [];
    this.#routing.delete(id);
    if (hop === undefined) return [{ type: 'gone', id }];
    const flow = { ...request, id, hop };
    this.#flows.set(id, { flow, state: 'waiting', isUnwanted: false, packets: 0, bytes: 0 });
    return [];
  }

  /** Brings a flow back; `gone` is said once it is. */
  release(id: number): FlowNews[] {
    if (this.#routing.delete(id)) return [{ type: 'gone', id }];
    const entry = this.#flows.get(id);
    if (entry === undefined) return [];
    if (entry.state === 'waiting') {
      this.#flows.delete(id);
      return [{ type: 'gone', id }];
    }
    if (entry.state === 'adding') entry.isUnwanted = true;
    else if (entry.state === 'carried') entry.state = 'leaving';
    return [];
  }

  /** What nft is to be told now, if it is idle. */
  next(nowMs: number): Batch | undefined {
    if (this.#batch !== undefined) return undefined;
    const batch = this.#leaving() ?? this.#due(nowMs) ?? this.#coming() ?? this.#reading(nowMs);
    if (batch !== undefined) this.#batch = { ...batch, sinceMs: nowMs };
    return batch;
  }

  /** When `next` has something without being asked for it. */
  get nextAtMs(): number {
    return Math.min(this.#renewAtMs, Math.max(this.#readAtMs, this.#roundAtMs));
  }

  /** When the batch was given to nft; `undefined` while it is idle. */
  get busySinceMs(): number | undefined {
    return this.#batch?.sinceMs;
  }

  /** The answer to the batch. */
  done(answer: string, nowMs: number): BatchResult {
    const batch = this.#batch;
    this.#batch = undefined;
    if (batch === undefined) return { type: 'done', news: [] };
    const complaint = parseComplaint(answer);
    if (batch.type === 'add') return { type: 'done', news: this.#added(batch, complaint) };
    if (complaint !== undefined) return { type: 'broken', reason: complaint };
    const news = this.#counted(answer);
    if (batch.type === 'read') {
      this.#readAtMs = nowMs + (nowMs - batch.sinceMs) / READ_SHARE;
    }
    if (batch.type === 'remove') {
      for (const id of batch.ids) {
        this.#flows.delete(id);
        news.push({ type: 'gone', id });
      }
    }
    return { type: 'done', news };
  }

  /** The table is gone with everything in it. */
  reset(nowMs: number): FlowNews[] {
    const ids = [...this.#routing.keys(), ...this.#flows.keys()];
    this.#routing.clear();
    this.#flows.clear();
    this.#batch = undefined;
    this.#renewAtMs = nowMs + this.#renewMs;
    return ids.map((id) => ({ type: 'gone', id }));
  }

  get #renewMs(): number {
    return (this.#options.leaseSeconds * 1000) / RENEWALS_PER_LEASE;
  }

  #inState(state: FlowState, limit: number): Entry[] {
    const found: Entry[] = [];
    for (const entry of this.#flows.values()) {
      if (entry.state === state) found.push(entry);
      if (found.length === limit) break;
    }
    return found;
  }

  #leaving(): Batch | undefined {
    const entries = this.#inState('leaving', MAX_IN_BATCH);
    if (entries.length === 0) return undefined;
    for (const entry of entries) entry.state = 'removing';
    const flows = entries.map(({ flow }) => flow);
    const { table, order } = this.#options;
    const text = releaseText(table, flows, order);
    return { type: 'remove', text, ids: flows.map(({ id }) => id) };
  }

  #due(nowMs: number): Batch | undefined {
    if (nowMs < this.#renewAtMs) return undefined;
    this.#renewAtMs = nowMs + this.#renewMs;
    const { table, leaseSeconds } = this.#options;
    return { type: 'renew', text: leaseText(table, leaseSeconds), ids: [] };
  }

  #coming(): Batch | undefined {
    const entries = this.#inState('waiting', this.#suspects > 0 ? 1 : MAX_IN_BATCH);
    if (entries.length === 0) return undefined;
    for (const entry of entries) entry.state = 'adding';
    const { table, order } = this.#options;
    const text = entries.map(({ flow }) => carryText(table, flow, order)).join('; ');
    return { type: 'add', text, ids: entries.map(({ flow }) => flow.id) };
  }

  #reading(nowMs: number): Batch | undefined {
    if (this.#unread.length === 0) {
      if (nowMs < this.#roundAtMs) return undefined;
      this.#roundAtMs = nowMs + READ_INTERVAL_MS;
      const shards = new Set<number>();
      for (const { flow, state } of this.#flows.values()) {
        if (state === 'carried') shards.add(shardOf(flow.receiver.port));
      }
      this.#unread = [...shards];
    }
    if (nowMs < this.#readAtMs) return undefined;
    const shard = this.#unread.pop();
    if (shard === undefined) return undefined;
    return { type: 'read', text: readText(this.#options.table, shard), ids: [] };
  }

  #added({ ids }: Batch, complaint: string | undefined): FlowNews[] {
    const news: FlowNews[] = [];
    if (complaint !== undefined && ids.length > 1) this.#suspects = ids.length;
    else this.#suspects = Math.max(0, this.#suspects - 1);
    for (const id of ids) {
      const entry = this.#flows.get(id);
      if (entry === undefined) continue;
      if (complaint === undefined) {
        entry.state = entry.isUnwanted ? 'leaving' : 'carried';
        if (!entry.isUnwanted) news.push({ type: 'carried', id });
      } else if (ids.length > 1 && !entry.isUnwanted) {
        entry.state = 'waiting';
      } else {
        this.#flows.delete(id);
        news.push({ type: 'gone', id });
      }
    }
    return news;
  }

  #counted(answer: string): FlowNews[] {
    const news: FlowNews[] = [];
    for (const { id, packets, bytes } of parseCounts(answer)) {
      const entry = this.#flows.get(id);
      if (entry === undefined) continue;
      const since = { packets: packets - entry.packets, bytes: bytes - entry.bytes };
      entry.packets = packets;
      entry.bytes = bytes;
      news.push({ type: 'counted', id, ...since });
    }
    return news;
  }
}
