/** Accounts with several phones each at one SBC, and changes of their features through its HTTP API. */

import { join } from 'node:path';
import { FeatureFleet, type FleetPhone } from '../../test/support/feature-fleet.ts';
import { sleep, waitFor } from '../../test/support/wait-for.ts';
import { HeapProbe } from './heap-probe.ts';
import { startMeasuredSbc, type MeasuredSbc } from './measured-sbc.ts';
import { ownedFolder } from './owned.ts';
import { ThreadStopwatch, type Threads } from './thread-times.ts';

const SBC_ADDRESS = '127.77.0.7';
const PHONE_ADDRESS = '127.77.0.8';
const DOMAIN = 'pbx.example';
const FEATURE = 'DoNotDisturb';
const SOCKETS = 8;
/** SUBSCRIBEs that wait for their answer at a time. */
const SUBSCRIBING = 100;
/** PUTs that wait for their answer at a time. */
const PUTTING = 32;
const PATIENCE_MS = 60_000;
/** How long after the last NOTIFY a double one would still be seen. */
const SETTLE_MS = 1500;
const NO_RATES =
  '{ agent-per-second: 0, agent-burst: 100000, source-per-second: 0, strangers-per-second: 0 }';

export interface FeatureLoadOptions {
  readonly accounts: number;
  /** Of each account. */
  readonly phones: number;
  /** `notify.per-second`. */
  readonly perSecond: number;
  readonly nodeArguments: readonly string[];
}

export interface SubscribeResult {
  readonly subscriptions: number;
  readonly refused: number;
  readonly tookMs: number;
  /** SUBSCRIBE to the first NOTIFY, of each phone. */
  readonly toldMs: readonly number[];
  readonly residentBefore: number;
  readonly residentAfter: number;
}

export interface ChangeResult {
  readonly name: string;
  readonly changes: number;
  readonly told: number;
  readonly tookMs: number;
  /** PUT to its answer; ascending, as all lists of times here. */
  readonly answerMs: readonly number[];
  /** PUT to the NOTIFY at each phone. */
  readonly toldMs: readonly number[];
  /** Phones that were not told. */
  readonly lost: number;
  readonly doubled: number;
  /** Requests of the phones that were not answered within T1. */
  readonly repeats: number;
  readonly threads: Threads;
}

export class FeatureLoad {
  readonly fleet: FeatureFleet;
  readonly sbc: MeasuredSbc;
  readonly options: FeatureLoadOptions;
  /** Told of every NOTIFY. */
  onTold: (phone: FleetPhone, atMs: number) => void = () => undefined;

  private constructor(sbc: MeasuredSbc, fleet: FeatureFleet, options: FeatureLoadOptions) {
    this.sbc = sbc;
    this.fleet = fleet;
    this.options = options;
  }

  static async open(options: FeatureLoadOptions): Promise<FeatureLoad> {
    const file = join(ownedFolder(), 'features.db');
    const features = [
      'feature-keys:',
      '  enabled: true',
      `  provider: { kind: sqlite, file: ${JSON.stringify(file)} }`,
      '  trusted-networks: [ 127.0.0.0/8 ]',
      `  domains: { ${DOMAIN}: [ ${SBC_ADDRESS} ] }`,
      `  notify: { per-second: ${options.perSecond} }`,
      `  sets-per-second: 10000`,
    ].join('\n');
    const sbc = await startMeasuredSbc({
      address: SBC_ADDRESS,
      carrier: { address: PHONE_ADDRESS, port: 9 },
      concurrentCalls: 8,
      nodeArguments: options.nodeArguments,
      edit: (yaml) =>
        yaml
          .replace('feature-keys: { enabled: false }', features)
          .replace('sip: { engine: embedded }', `sip: { engine: embedded, limits: ${NO_RATES} }`),
    });
    const held: { load?: FeatureLoad } = {};
    const fleet = await FeatureFleet.open({
      sockets: SOCKETS,
      address: PHONE_ADDRESS,
      to: sbc.access,
      domain: DOMAIN,
      onTold: (phone, _features, atMs) => held.load?.onTold(phone, atMs),
    });
    for (let account = 0; account < options.accounts; account += 1) {
      for (let n = 0; n < options.phones; n += 1) fleet.add(nameOf(account));
    }
    held.load = new FeatureLoad(sbc, fleet, options);
    return held.load;
  }

  /** Subscribes every phone, so many at a time. */
  async subscribeAll(): Promise<SubscribeResult> {
    const { phones } = this.fleet;
    const residentBefore = this.sbc.residentBytes();
    const askedMs = new Map<FleetPhone, number>();
    const toldMs: number[] = [];
    this.onTold = (phone, atMs) => void toldMs.push(atMs - (askedMs.get(phone) ?? atMs));
    let refused = 0;
    const beganMs = performance.now();
    await atATime(SUBSCRIBING, phones, async (phone) => {
      askedMs.set(phone, performance.now());
      const status = await phone.subscribe();
      if (status >= 300) refused += 1;
    });
    const subscriptions = phones.length - refused;
    const wait = { timeoutMs: PATIENCE_MS };
    await waitFor('first NOTIFYs', () => toldMs.length >= subscriptions, wait).catch(() => false);
    const tookMs = performance.now() - beganMs;
    await sleep(SETTLE_MS);
    const residentAfter = this.sbc.residentBytes();
    return {
      subscriptions: toldMs.length,
      refused,
      tookMs,
      toldMs: ascending(toldMs),
      residentBefore,
      residentAfter,
    };
  }

  async close(): Promise<void> {
    await this.sbc.stop();
    this.fleet.close();
  }
}

/** One change of every account, so many accounts a second. */
export function changeSteadily(load: FeatureLoad, perSecond: number): Promise<ChangeResult> {
  return change(load, `${perSecond} accounts/s`, async (put) => {
    const beganMs = performance.now();
    const puts: Promise<void>[] = [];
    for (let account = 0; account < load.options.accounts; account += 1) {
      const dueMs = beganMs + (account / perSecond) * 1000;
      const aheadMs = dueMs - performance.now();
      if (aheadMs > 1) await sleep(aheadMs);
      puts.push(put(account));
    }
    await Promise.all(puts);
  });
}

/** One change of every account as fast as the API takes it. */
export function changeAll(load: FeatureLoad): Promise<ChangeResult> {
  return change(load, 'all at once', (put) => {
    const accounts = Array.from({ length: load.options.accounts }, (_, account) => account);
    return atATime(PUTTING, accounts, put);
  });
}

async function change(
  load: FeatureLoad,
  name: string,
  play: (put: (account: number) => Promise<void>) => Promise<void>,
): Promise<ChangeResult> {
  const { fleet, sbc } = load;
  const status = !(fleet.phones[0]?.shown.get(FEATURE)?.status ?? false);
  const putMs = new Map<string, number>();
  const counts = new Map<FleetPhone, number>();
  const answerMs: number[] = [];
  const toldMs: number[] = [];
  let lastMs = performance.now();
  load.onTold = (phone, atMs) => {
    counts.set(phone, (counts.get(phone) ?? 0) + 1);
    toldMs.push(atMs - (putMs.get(phone.account) ?? atMs));
    lastMs = atMs;
  };
  const repeatsBefore = repeatsOf(load);
  const watch = new ThreadStopwatch(sbc.pid);
  watch.start();
  const beganMs = performance.now();
  const wait = { timeoutMs: PATIENCE_MS };
  await play(async (account) => {
    const askedMs = performance.now();
    putMs.set(nameOf(account), askedMs);
    await putFeature(sbc, nameOf(account), status);
    answerMs.push(performance.now() - askedMs);
  });
  await waitFor('NOTIFYs', () => counts.size === fleet.phones.length, wait).catch(() => false);
  watch.stop();
  const tookMs = Math.max(1, lastMs - beganMs);
  await sleep(SETTLE_MS);
  const all = fleet.phones;
  return {
    name,
    changes: answerMs.length,
    told: toldMs.length,
    tookMs,
    answerMs: ascending(answerMs),
    toldMs: ascending(toldMs),
    lost: all.filter((phone) => phone.shown.get(FEATURE)?.status !== status).length,
    doubled: all.filter((phone) => (counts.get(phone) ?? 0) > 1).length,
    repeats: repeatsOf(load) - repeatsBefore,
    threads: watch.threads,
  };
}

/** What the subscriptions of all phones keep, on an SBC of its own: the inspector costs time. */
export async function heapPerSubscription(
  options: Omit<FeatureLoadOptions, 'perSecond' | 'nodeArguments'>,
): Promise<string> {
  const load = await FeatureLoad.open({
    ...options,
    perSecond: 5000,
    nodeArguments: ['--inspect=127.0.0.1:0'],
  });
  const probe = await HeapProbe.open(load.sbc.output());
  // What the first requests of all load and compile is no part of a subscription.
  await load.fleet.add('warm-up').subscribe();
  await sleep(SETTLE_MS);
  const restBytes = await probe.usedBytes();
  const { subscriptions } = await load.subscribeAll();
  // Transactions are kept for 32 s by their timers; the dialogs and what belongs to them stay.
  await sleep(TRANSACTIONS_MS);
  const heldBytes = await probe.usedBytes();
  probe.close();
  await load.close();
  return `${((heldBytes - restBytes) / subscriptions / 1000).toFixed(1)} kB (${subscriptions} of them)`;
}

const TRANSACTIONS_MS = 35_000;

async function putFeature({ api }: MeasuredSbc, account: string, status: boolean): Promise<void> {
  const url = `http://${api.address}:${api.port}/api/v1/features/${account}@${DOMAIN}/${FEATURE}`;
  const answer = await fetch(url, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ status }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`PUT was answered ${answer.status}: ${text}`);
}

async function atATime<T>(
  limit: number,
  items: readonly T[],
  work: (item: T) => Promise<void>,
): Promise<void> {
  const rest = items.values();
  const worker = async (): Promise<void> => {
    for (const item of rest) await work(item);
  };
  await Promise.all(Array.from({ length: limit }, worker));
}

function repeatsOf({ fleet }: FeatureLoad): number {
  return fleet.sockets.reduce((sum, sip) => sum + sip.repeats, 0);
}

function ascending(values: readonly number[]): number[] {
  return values.toSorted((a, b) => a - b);
}

function nameOf(account: number): string {
  return String(20_000 + account);
}
