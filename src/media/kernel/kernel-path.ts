/**
 * The kernel as a relay: flows are handed to it, counted while it has them, and taken back.
 *
 *   opening --table made--> up --nft dies, hangs or contradicts--> down --1 s, 2 s … 60 s--> opening
 *                            '--close--> closed
 *
 * IPv4 only; peers have to be on other hosts. Needs nft, ip and CAP_NET_ADMIN in the network namespace of the media
 * addresses.
 *
 * While it is down every flow is back with its worker: the table ends with the nft that made it. Should this
 * process hang, the table's lease runs out and packets come to the workers again.
 */

import { endianness } from 'node:os';
import { randomBytes } from 'node:crypto';
import { type Batch, FlowBook, type FlowNews, type FlowRequest } from './flow-book.ts';
import { findMediaDevices } from './media-devices.ts';
import { MediaRoutes } from './media-routes.ts';
import { parseComplaint, TABLE_PREFIX, tableText } from './nft-text.ts';
import { NftProcess } from './nft-process.ts';
import { dropDeadTables } from './dead-tables.ts';
import type { KernelReach } from './steady-flow.ts';

/** The table works for so long without a word from us. */
export const LEASE_SECONDS = 10;

/** An nft that takes longer than this for a batch hangs. */
const BATCH_LIMIT_MS = 5000;

const MIN_BACKOFF_MS = 1000;
const MAX_BACKOFF_MS = 60_000;

/** How often our devices, and the ways of flows, are looked at again. */
const CHECK_INTERVAL_MS = 30_000;

export interface KernelPathOptions {
  /** Of our media; those that are not IPv4, or of the loopback device, stay with the workers. */
  readonly addresses: readonly string[];
  readonly reach: KernelReach;
  /** Called when all flows fell back to the workers, and when it goes on: worth a line in the log. */
  readonly onTrouble?: ((trouble: KernelTrouble) => void) | undefined;
}

export type KernelTrouble =
  | { readonly type: 'down'; readonly reason: string; readonly flows: number }
  | { readonly type: 'up' };

export interface KernelUnavailable {
  readonly type: 'unavailable';
  readonly reason: string;
}

/** What becomes of one flow. */
export interface FlowOwner {
  carried(): void;
  /** `atMs`: of `performance.now()`. */
  counted(packets: number, bytes: number, atMs: number): void;
  /** Called once, last: the kernel has it no more. */
  gone(): void;
}

type PathState =
  | { readonly type: 'opening' }
  | { readonly type: 'up'; readonly nft: NftProcess }
  | { readonly type: 'down'; readonly timer: NodeJS.Timeout }
  | { readonly type: 'closed' };

export class KernelPath {
  readonly type = 'path';
  readonly reach: KernelReach;
  readonly #options: KernelPathOptions;
  readonly #table = `${TABLE_PREFIX}${randomBytes(4).toString('hex')}`;
  readonly #book: FlowBook;
  readonly #routes = new MediaRoutes();
  readonly #owners = new Map<number, FlowOwner>();
  readonly #checkTimer: NodeJS.Timeout;
  #addresses: readonly string[];
  #devices: readonly string[] = [];
  #state: PathState = { type: 'opening' };
  #timer: NodeJS.Timeout | undefined;
  #backoffMs = MIN_BACKOFF_MS;
  #dropReason: string | undefined;

  private constructor(options: KernelPathOptions) {
    this.#options = options;
    this.reach = options.reach;
    this.#addresses = options.addresses;
    this.#book = new FlowBook(
      { table: this.#table, order: endianness(), leaseSeconds: LEASE_SECONDS },
      performance.now(),
    );
    this.#checkTimer = setInterval(() => void this.#check(), CHECK_INTERVAL_MS);
  }

  /** Makes the table, and removes those that dead processes left. */
  static async open(options: KernelPathOptions): Promise<KernelPath | KernelUnavailable> {
    const path = new KernelPath(options);
    const reason = await path.#start();
    if (reason === undefined) return path;
    await path.close();
    return { type: 'unavailable', reason };
  }

  /** Flows that go by the kernel now. */
  get carried(): number {
    return this.#book.carried;
  }

  get isUp(): boolean {
    return this.#state.type === 'up';
  }

  /** What the table is called. */
  get table(): string {
    return this.#table;
  }

  /** The process id of nft, for tests that end it. */
  get nftPid(): number | undefined {
    return this.#state.type === 'up' ? this.#state.nft.pid : undefined;
  }

  /** Hands a flow to the kernel; what becomes of it hears `owner`. */
  carry(request: FlowRequest, owner: FlowOwner): number | undefined {
    if (this.#state.type !== 'up') return undefined;
    const id = this.#book.want(request);
    this.#owners.set(id, owner);
    void this.#route(id, request);
    return id;
  }

  /** Takes a flow back; the owner's `gone` is called when it is. */
  release(id: number): void {
    this.#tell(this.#book.release(id));
    this.#pump();
  }

  /** Our media addresses have changed. */
  serve(addresses: readonly string[]): void {
    this.#addresses = addresses;
    void this.#checkDevices();
  }

  /** Brings every flow back and removes the table. */
  async close(): Promise<void> {
    const state = this.#state;
    this.#state = { type: 'closed' };
    clearInterval(this.#checkTimer);
    clearTimeout(this.#timer);
    if (state.type === 'down') clearTimeout(state.timer);
    if (state.type === 'up') await state.nft.close();
    this.#tell(this.#book.reset(performance.now()));
  }

  /** Why it did not start. */
  async #start(): Promise<string | undefined> {
    this.#devices = await findMediaDevices(this.#addresses);
    if (this.#devices.length === 0)
      return 'no media address is an IPv4 address of a network device';
    let lastWord = '';
    const nft = new NftProcess((said) => {
      lastWord = said;
      this.#fell(nft, said);
    });
    await dropDeadTables(nft, this.#table);
    const text = tableText({
      name: this.#table,
      devices: this.#devices,
      leaseSeconds: LEASE_SECONDS,
    });
    const answer = await nft.run(text);
    const complaint = answer === undefined ? lastWord || 'nft ended' : parseComplaint(answer);
    if (complaint !== undefined || this.#state.type === 'closed') {
      await nft.close();
      return complaint ?? 'closed';
    }
    this.#state = { type: 'up', nft };
    this.#pump();
    return undefined;
  }

  async #route(id: number, { sender, destination }: FlowRequest): Promise<void> {
    const hop = await this.#routes.find(sender.address, destination.address, performance.now());
    this.#tell(this.#book.routed(id, hop));
    this.#pump();
  }

  async #check(): Promise<void> {
    if (this.#state.type !== 'up') return;
    await this.#checkDevices();
    await this.#checkRoutes();
  }

  /** A hook takes no further device: when there are others all flows come back, and go there again. */
  async #checkDevices(): Promise<void> {
    const devices = await findMediaDevices(this.#addresses);
    const isSame = devices.join(' ') === this.#devices.join(' ');
    if (!isSame && this.#state.type === 'up') this.#drop(this.#state.nft, 'other network devices');
  }

  /** Takes back the flows whose way has changed. */
  async #checkRoutes(): Promise<void> {
    for (const { id, sender, destination, hop } of this.#book.flows) {
      const nowMs = performance.now();
      const way = await this.#routes.find(sender.address, destination.address, nowMs);
      if (way?.address !== hop.address || way.device !== hop.device) this.release(id);
    }
  }

  /** Gives nft its next batch, or waits for the time of one. */
  #pump(): void {
    if (this.#state.type !== 'up') return;
    const { nft } = this.#state;
    const nowMs = performance.now();
    const batch = this.#book.next(nowMs);
    if (batch !== undefined) void this.#run(nft, batch);
    clearTimeout(this.#timer);
    const since = this.#book.busySinceMs;
    if (since === undefined) {
      this.#timer = setTimeout(() => this.#pump(), Math.max(1, this.#book.nextAtMs - nowMs));
    } else {
      // What it was told last may still be carried out or not: the table has to go.
      const waitMs = since + BATCH_LIMIT_MS - nowMs;
      this.#timer = setTimeout(() => this.#drop(nft, 'nft hangs'), waitMs);
    }
  }

  async #run(nft: NftProcess, batch: Batch): Promise<void> {
    const answer = await nft.run(batch.text);
    // It is dead, and the book closed.
    if (answer === undefined || this.#state.type !== 'up' || this.#state.nft !== nft) return;
    const result = this.#book.done(answer, performance.now());
    if (result.type === 'done') {
      this.#tell(result.news);
      this.#backoffMs = MIN_BACKOFF_MS;
      this.#pump();
    } else {
      this.#drop(nft, result.reason);
    }
  }

  #tell(news: readonly FlowNews[]): void {
    for (const each of news) {
      const owner = this.#owners.get(each.id);
      if (each.type === 'carried') owner?.carried();
      if (each.type === 'counted') owner?.counted(each.packets, each.bytes, performance.now());
      if (each.type === 'gone') {
        this.#owners.delete(each.id);
        owner?.gone();
      }
    }
  }

  /** Ends the table: nothing of it can be trusted any more. */
  #drop(nft: NftProcess, reason: string): void {
    this.#dropReason = reason;
    nft.kill();
  }

  /** nft is dead, and so is the table. */
  #fell(nft: NftProcess, said: string): void {
    if (this.#state.type !== 'up' || this.#state.nft !== nft) return;
    const flows = this.#book.carried;
    const reason = this.#dropReason ?? (said || 'nft ended');
    this.#dropReason = undefined;
    this.#rest();
    this.#tell(this.#book.reset(performance.now()));
    this.#options.onTrouble?.({ type: 'down', reason, flows });
  }

  #rest(): void {
    clearTimeout(this.#timer);
    const timer = setTimeout(() => void this.#restart(), this.#backoffMs);
    this.#backoffMs = Math.min(2 * this.#backoffMs, MAX_BACKOFF_MS);
    this.#state = { type: 'down', timer };
  }

  async #restart(): Promise<void> {
    this.#state = { type: 'opening' };
    const reason = await this.#start();
    if (reason === undefined) this.#options.onTrouble?.({ type: 'up' });
    // Written so that `close` in between stays.
    else if (this.#isOpening) this.#rest();
  }

  get #isOpening(): boolean {
    return this.#state.type === 'opening';
  }
}

/** Why the kernel cannot carry media of `addresses`; `undefined`: it can. */
export async function probeKernelPath(addresses: readonly string[]): Promise<string | undefined> {
  const path = await KernelPath.open({ addresses, reach: 'untranslated' });
  if (path.type === 'unavailable') return path.reason;
  await path.close();
  return undefined;
}
