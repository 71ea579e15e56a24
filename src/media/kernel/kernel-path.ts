/**
 * The kernel as a relay: flows are handed to it, counted while it has them, and taken back.
 *
 *   opening --table made--> up --nft dies, hangs or contradicts--> down --1 s, 2 s … 60 s--> opening
 *                            '--close--> closed
 *
 * A flow whose way changes comes back, all of them when the devices of our media change: see NetworkWatch.
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
import { hasIpsecPolicies } from './ipsec-policies.ts';
import { findMediaDevices, isSameDevices, type MediaDevices } from './media-devices.ts';
import { MediaRoutes } from './media-routes.ts';
import { NetworkWatch } from './network-watch.ts';
import { type KernelFlow, parseComplaint, TABLE_PREFIX, tableText } from './nft-text.ts';
import { NftPatience } from './nft-patience.ts';
import { NftProcess } from './nft-process.ts';
import { dropDeadTables } from './dead-tables.ts';
import type { KernelReach } from './steady-flow.ts';

/** The table works for so long without a word from us. */
export const LEASE_SECONDS = 10;

/** An nft that has not made the table by then hangs. */
const START_LIMIT_MS = 10_000;

const MIN_BACKOFF_MS = 1000;
const MAX_BACKOFF_MS = 60_000;

const NO_DEVICES: MediaDevices = { names: [], indexes: new Map() };

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

/** What of a flow the kernel has forwarded since the last time. */
export interface FlowReading {
  readonly packets: number;
  readonly bytes: number;
  /** When the kernel was asked and when it has answered, of `performance.now()`. */
  readonly askedAtMs: number;
  readonly atMs: number;
}

/** What becomes of one flow. */
export interface FlowOwner {
  carried(): void;
  counted(reading: FlowReading): void;
  /** Called once, last: the kernel has it no more; not counted: how much it had is not known. */
  gone(isCounted: boolean): void;
}

type PathState =
  | { readonly type: 'opening' }
  | { readonly type: 'up'; readonly nft: NftProcess }
  | { readonly type: 'down'; readonly timer: NodeJS.Timeout }
  | { readonly type: 'closed' };

const UNDER_IPSEC =
  'the machine has IPsec policies (ip xfrm policy), which forwarded packets would pass by';

export class KernelPath {
  readonly type = 'path';
  readonly reach: KernelReach;
  readonly #options: KernelPathOptions;
  readonly #table = `${TABLE_PREFIX}${randomBytes(4).toString('hex')}`;
  readonly #book: FlowBook;
  readonly #routes = new MediaRoutes();
  readonly #owners = new Map<number, FlowOwner>();
  readonly #patience = new NftPatience();
  readonly #watch = new NetworkWatch({ look: () => this.#look() });
  #addresses: readonly string[];
  #devices = NO_DEVICES;
  #state: PathState = { type: 'opening' };
  #timer: NodeJS.Timeout | undefined;
  #backoffMs = MIN_BACKOFF_MS;

  private constructor(options: KernelPathOptions) {
    this.#options = options;
    this.reach = options.reach;
    this.#addresses = options.addresses;
    this.#book = new FlowBook(
      { table: this.#table, order: endianness(), leaseSeconds: LEASE_SECONDS },
      performance.now(),
    );
    this.#watch.start();
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
    if (this.#owners.has(id)) this.#patience.released(id, performance.now());
    this.#tell(this.#book.release(id));
    this.#pump();
  }

  /** Our media addresses have changed. */
  serve(addresses: readonly string[]): void {
    this.#addresses = addresses;
    this.#watch.changed();
  }

  /** Brings every flow back and removes the table. */
  async close(): Promise<void> {
    const state = this.#state;
    this.#state = { type: 'closed' };
    const watched = this.#watch.close();
    clearTimeout(this.#timer);
    if (state.type === 'down') clearTimeout(state.timer);
    if (state.type === 'up') await state.nft.close();
    await watched;
    this.#tellAllGone();
  }

  /** Why it did not start. */
  async #start(): Promise<string | undefined> {
    this.#devices = (await findMediaDevices(this.#addresses)) ?? NO_DEVICES;
    if (this.#devices.names.length === 0)
      return 'no media address is an IPv4 address of a network device';
    if (await hasIpsecPolicies()) return UNDER_IPSEC;
    let lastWord = '';
    const nft = new NftProcess((said) => {
      lastWord = said;
      this.#fell(nft, said);
    });
    const hang = setTimeout(() => nft.kill('nft hangs'), START_LIMIT_MS);
    await dropDeadTables(nft, this.#table);
    const text = tableText({
      name: this.#table,
      devices: this.#devices.names,
      leaseSeconds: LEASE_SECONDS,
    });
    const answer = await nft.run(text);
    clearTimeout(hang);
    const complaint = answer === undefined ? lastWord || 'nft ended' : parseComplaint(answer);
    if (complaint !== undefined || this.#state.type === 'closed') {
      await nft.close();
      return complaint ?? 'closed';
    }
    this.#state = { type: 'up', nft };
    // What has changed since its devices were looked up.
    this.#watch.changed();
    this.#pump();
    return undefined;
  }

  async #route(id: number, { sender, destination }: FlowRequest): Promise<void> {
    const hop = await this.#routes.find(sender.address, destination.address, performance.now());
    this.#tell(this.#book.routed(id, hop));
    this.#pump();
  }

  /** Follows what has changed around us. */
  async #look(): Promise<void> {
    if (this.#state.type !== 'up' && this.#state.type !== 'down') return;
    if (await this.#isUnderIpsec()) return;
    this.#routes.forget();
    const devices = await findMediaDevices(this.#addresses);
    if (devices === undefined) return;
    const before = this.#devices;
    if (!isSameDevices(before, devices)) this.#take(devices);
    else await this.#checkRoutes(before, devices);
  }

  /** Policies that were made meanwhile: all flows come back until there are none. */
  async #isUnderIpsec(): Promise<boolean> {
    if (!(await hasIpsecPolicies())) return false;
    if (this.#state.type === 'up') this.#drop(this.#state.nft, UNDER_IPSEC);
    return true;
  }

  /** A hook takes no further device: when there are others all flows come back, and go there again. */
  #take(devices: MediaDevices): void {
    const state = this.#state;
    if (state.type !== 'up' && state.type !== 'down') return;
    this.#devices = devices;
    if (state.type === 'up') this.#drop(state.nft, 'other network devices');
    if (state.type === 'down') {
      clearTimeout(state.timer);
      this.#backoffMs = MIN_BACKOFF_MS;
      this.#rest();
    }
  }

  /** Takes back the flows whose way has changed, or leads by a device that was made again. */
  async #checkRoutes(before: MediaDevices, now: MediaDevices): Promise<void> {
    this.#devices = now;
    const check = async (flow: KernelFlow): Promise<void> => {
      const { id, sender, destination, hop } = flow;
      const nowMs = performance.now();
      const way = await this.#routes.find(sender.address, destination.address, nowMs);
      const isSame = way?.address === hop.address && way.device === hop.device;
      const isSameDevice = before.indexes.get(hop.device) === now.indexes.get(hop.device);
      if (!isSame || !isSameDevice) this.release(id);
    };
    await Promise.all(this.#book.flows.map(check));
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
      const waitMs = Math.max(1, this.#patience.endMs(since) - nowMs);
      this.#timer = setTimeout(() => this.#giveUp(nft, since), waitMs);
    }
  }

  async #run(nft: NftProcess, batch: Batch): Promise<void> {
    const askedAtMs = performance.now();
    const answer = await nft.run(batch.text);
    // It is dead, and the book closed.
    if (answer === undefined || this.#state.type !== 'up' || this.#state.nft !== nft) return;
    const result = this.#book.done(answer, performance.now());
    if (result.type === 'done') {
      this.#tell(result.news, askedAtMs);
      this.#backoffMs = MIN_BACKOFF_MS;
      this.#pump();
    } else {
      this.#drop(nft, result.reason);
    }
  }

  /** Ends an nft that does not answer; one whose answer we have not read yet, for all we had to do, has another moment. */
  #giveUp(nft: NftProcess, sinceMs: number): void {
    setImmediate(() => {
      if (this.#book.busySinceMs === sinceMs) this.#drop(nft, 'nft hangs');
    });
  }

  #tell(news: readonly FlowNews[], askedAtMs = performance.now()): void {
    const atMs = performance.now();
    for (const each of news) {
      const owner = this.#owners.get(each.id);
      if (each.type === 'carried') owner?.carried();
      if (each.type === 'counted') {
        const { packets, bytes } = each;
        owner?.counted({ packets, bytes, askedAtMs, atMs });
      }
      if (each.type === 'gone') this.#forget(each.id, true);
    }
  }

  /** The table is gone, and with it what it had counted since it was read. */
  #tellAllGone(): void {
    for (const { id } of this.#book.reset(performance.now())) this.#forget(id, false);
  }

  #forget(id: number, isCounted: boolean): void {
    const owner = this.#owners.get(id);
    this.#owners.delete(id);
    this.#patience.gone(id);
    owner?.gone(isCounted);
  }

  /** Ends the table: nothing of it can be trusted any more. */
  #drop(nft: NftProcess, reason: string): void {
    nft.kill(reason);
  }

  /** nft is dead, and so is the table. */
  #fell(nft: NftProcess, said: string): void {
    if (this.#state.type !== 'up' || this.#state.nft !== nft) return;
    const flows = this.#book.carried;
    const reason = said || 'nft ended';
    this.#rest();
    this.#tellAllGone();
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
