/**
 * Features of many accounts, toggled by phones, API and provider at once over a network that loses and doubles messages.
 * Phones start anew amid it, and are too busy for some NOTIFYs. After each burst all phones, the API and the store must
 * come to say the same.
 *
 *   phones --(loss, doubles)--- SBC --- store <--- somebody else
 *                                |
 *                               API
 */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StoreChannel, type StoreDump } from './feature-channel-store.ts';
import { FeatureFleet, type FleetPhone, type ShownFeature } from './feature-fleet.ts';
import { startLoopbackSbc, type RunningSbc } from './start-sbc.ts';
import { sleep } from './wait-for.ts';

export interface ToggleOptions {
  readonly bursts: number;
  /** Changes of each burst. */
  readonly changes: number;
  readonly accounts: number;
  /** Of each account. */
  readonly phones: number;
  /** Share of the messages that are lost, each way; as many come twice. */
  readonly loss: number;
  readonly onBurst?: (report: BurstReport) => void;
}

export interface BurstReport {
  readonly changes: Readonly<Record<Source, number>>;
  /** Answers by status: those to SUBSCRIBEs and those of the API. */
  readonly answers: ReadonlyMap<string, number>;
  readonly notifies: number;
  readonly lost: number;
  readonly doubled: number;
  /** From the last change until all said the same. */
  readonly settledMs: number;
  /** Who said what, where they did not come to say the same; NOTIFYs that came out of order. */
  readonly differences: readonly string[];
}

/** `reboot`: the phone forgets its subscription and makes a new one. */
type Source = 'phone' | 'api' | 'provider' | 'refresh' | 'reboot';

const DOMAIN = 'pbx.example';
const FEATURES = [
  'DoNotDisturb',
  'CallForwardingAlways',
  'CallForwardingBusy',
  'CallForwardingNoAnswer',
];
const TARGETS = ['2424', '2525', '+15551230111', 'sip:voicemail@pbx.example'];
const RINGS = [0, 2, 5, 20];
/** Share of the NOTIFYs that a phone wants to have later. */
const TOO_BUSY = 0.02;
/** What a phone is told where no count is stored. */
const DEFAULT_RINGS = 5;
/** Several losses of one message in a row take so long at worst. */
const SETTLE_LIMIT_MS = 45_000;
/** Longer than the gap between two NOTIFYs: a change still under way would show by then. */
const STABLE_MS = 600;
const MODULE = new URL('./feature-channel-store.ts', import.meta.url).pathname;

export async function runToggles(options: ToggleOptions): Promise<readonly BurstReport[]> {
  const stage = await ToggleStage.open(options);
  try {
    const reports: BurstReport[] = [];
    for (let burst = 0; burst < options.bursts; burst += 1) {
      const report = await stage.burst();
      options.onBurst?.(report);
      reports.push(report);
    }
    return reports;
  } finally {
    await stage.close();
  }
}

class ToggleStage {
  readonly #options: ToggleOptions;
  readonly #running: RunningSbc;
  readonly #fleet: FeatureFleet;
  /** Of the history. */
  readonly #folder: string;
  readonly #channel: StoreChannel;
  readonly #dumping = new Map<number, (dump: StoreDump) => void>();
  readonly #answers = new Map<string, number>();
  #lost = 0;
  #doubled = 0;
  #dumps = 0;

  private constructor(
    options: ToggleOptions,
    running: RunningSbc,
    parts: { readonly fleet: FeatureFleet; readonly channel: string; readonly folder: string },
  ) {
    this.#options = options;
    this.#running = running;
    this.#fleet = parts.fleet;
    this.#folder = parts.folder;
    this.#channel = new StoreChannel(parts.channel, (message) => {
      if (message.type === 'dumped') this.#dumping.get(message.id)?.(message);
    });
  }

  static async open(options: ToggleOptions): Promise<ToggleStage> {
    const name = `feature-toggles-${process.pid}-${performance.now()}`;
    const folder = await mkdtemp(join(tmpdir(), 'feature-toggles-'));
    const features = [
      'feature-keys:',
      '  enabled: true',
      '  provider:',
      '    kind: module',
      `    path: ${JSON.stringify(MODULE)}`,
      `    options: { channel: ${JSON.stringify(name)} }`,
      `  domains: { ${DOMAIN}: [ 127.0.0.1 ] }`,
      // The guard has tests of its own; here it would refuse what is to be counted.
      '  loop-guard: { changes: 100000 }',
      '  sets-per-second: 10000',
      `  history: { file: ${JSON.stringify(join(folder, 'history.db'))} }`,
    ].join('\n');
    const running = await startLoopbackSbc({
      carrier: { address: '127.0.0.1', port: 9 },
      edit: (yaml) => yaml.replace('feature-keys: { enabled: false }', features),
    });
    const { access: to } = running;
    const fleet = await FeatureFleet.open({
      sockets: 4,
      address: '127.0.0.1',
      to,
      domain: DOMAIN,
      isTooBusy: () => Math.random() < TOO_BUSY,
    });
    const stage = new ToggleStage(options, running, { fleet, channel: name, folder });
    for (let account = 0; account < options.accounts; account += 1) {
      for (let n = 0; n < options.phones; n += 1) fleet.add(String(3000 + account));
    }
    await Promise.all(fleet.phones.map((phone) => phone.subscribe()));
    for (const sip of fleet.sockets) sip.copies = () => stage.#copies();
    return stage;
  }

  async close(): Promise<void> {
    for (const sip of this.#fleet.sockets) sip.copies = () => 1;
    await Promise.all(this.#fleet.phones.map((phone) => phone.leave().catch(() => undefined)));
    this.#channel.close();
    await this.#running.close();
    this.#fleet.close();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async burst(): Promise<BurstReport> {
    const { changes } = this.#options;
    const counts: Record<Source, number> = { phone: 0, api: 0, provider: 0, refresh: 0, reboot: 0 };
    const before = { lost: this.#lost, doubled: this.#doubled, notifies: this.#notifies() };
    this.#answers.clear();
    const running: Promise<void>[] = [];
    for (let n = 0; n < changes; n += 1) {
      const source = pickSource();
      counts[source] += 1;
      running.push(this.#change(source));
      if (n % 8 === 7) await sleep(Math.random() * 40);
    }
    await Promise.all(running);
    const beganMs = performance.now();
    const differences = await this.#settle();
    const outOfOrder = this.#fleet.phones.flatMap((phone) =>
      phone.outOfOrder.splice(0).map((cseq) => `${phone.account}: NOTIFY ${cseq} out of order`),
    );
    return {
      changes: counts,
      answers: new Map(this.#answers),
      notifies: this.#notifies() - before.notifies,
      lost: this.#lost - before.lost,
      doubled: this.#doubled - before.doubled,
      settledMs: performance.now() - beganMs,
      differences: [...differences, ...outOfOrder],
    };
  }

  #notifies(): number {
    return this.#fleet.phones.reduce((sum, phone) => sum + phone.notifies, 0);
  }

  #copies(): number {
    const { loss } = this.#options;
    const draw = Math.random();
    if (draw < loss) {
      this.#lost += 1;
      return 0;
    }
    if (draw > 1 - loss) {
      this.#doubled += 1;
      return 2;
    }
    return 1;
  }

  async #change(source: Source): Promise<void> {
    const phone = pick(this.#fleet.phones);
    const feature = pick(FEATURES);
    const status = Math.random() < 0.5;
    const hasTarget = feature !== 'DoNotDisturb' && (status || Math.random() < 0.5);
    const values = {
      ...(hasTarget ? { forwardTo: pick(TARGETS) } : {}),
      ...(hasTarget && feature === 'CallForwardingNoAnswer' ? { ringCount: pick(RINGS) } : {}),
    };
    if (source === 'provider') {
      const presentity = `sip:${phone.account}@${DOMAIN}`;
      this.#channel.send({ type: 'write', presentity, feature, status, values });
      return;
    }
    if (source === 'api') {
      const answer = await this.#api('PUT', `${phone.account}@${DOMAIN}/${feature}`, {
        status,
        ...values,
      });
      this.#count(`PUT ${answer.status}`);
      return;
    }
    const asked =
      source === 'refresh' ? phone.refresh() : phone.set({ feature, status, ...values });
    this.#count(`SUBSCRIBE ${await asked}`);
  }

  /** Waits until all say the same and go on doing so; gives what differs, if they never do. */
  async #settle(): Promise<readonly string[]> {
    const deadlineMs = performance.now() + SETTLE_LIMIT_MS;
    let differences: readonly string[] = [];
    while (performance.now() < deadlineMs) {
      differences = await this.#differences();
      if (differences.length === 0) {
        await sleep(STABLE_MS);
        differences = await this.#differences();
        if (differences.length === 0) return [];
      }
      await sleep(100);
    }
    return differences;
  }

  async #differences(): Promise<readonly string[]> {
    const stored = await this.#dump();
    const accounts = new Set(this.#fleet.phones.map((phone) => phone.account));
    const differences: string[] = [];
    for (const account of accounts) {
      const told = await this.#api('GET', `${account}@${DOMAIN}`);
      const body: { features: Record<string, ShownFeature> } = JSON.parse(await told.text());
      for (const feature of FEATURES) {
        const state = stored.states[`sip:${account}@${DOMAIN} ${feature}`];
        const store = textOf(feature, { status: state?.status ?? false, ...state?.values });
        const says = new Map<string, string>([['API', textOf(feature, body.features[feature])]]);
        this.#phonesOf(account).forEach((phone, n) => {
          says.set(`phone ${n}`, textOf(feature, phone.shown.get(feature)));
        });
        for (const [who, text] of says) {
          if (text === store) continue;
          differences.push(`${account} ${feature}: store ${store}, ${who} ${text}`);
        }
      }
    }
    return differences;
  }

  #phonesOf(account: string): readonly FleetPhone[] {
    return this.#fleet.phones.filter((phone) => phone.account === account);
  }

  #api(method: string, path: string, body?: object): Promise<Response> {
    const { address, port } = this.#running.sbc.apiAddress;
    const url = `http://${address}:${port}/api/v1/features/${path}`;
    if (body === undefined) return fetch(url, { method });
    const headers = { 'content-type': 'application/json' };
    return fetch(url, { method, headers, body: JSON.stringify(body) });
  }

  #dump(): Promise<StoreDump> {
    const id = (this.#dumps += 1);
    const dumped = new Promise<StoreDump>((resolve) => {
      this.#dumping.set(id, resolve);
    });
    this.#channel.send({ type: 'dump', id });
    return dumped.finally(() => this.#dumping.delete(id));
  }

  #count(answer: string): void {
    this.#answers.set(answer, (this.#answers.get(answer) ?? 0) + 1);
  }
}

/** Equal for what a person would take for the same. */
function textOf(feature: string, shown: ShownFeature | undefined): string {
  if (shown === undefined) return 'nothing';
  const { status, forwardTo, ringCount } = shown;
  const rings = feature === 'CallForwardingNoAnswer' ? `, ${ringCount ?? DEFAULT_RINGS} rings` : '';
  return `${status ? 'on' : 'off'} ${forwardTo ?? '-'}${rings}`;
}

function pickSource(): Source {
  const draw = Math.random();
  if (draw < 0.55) return 'phone';
  if (draw < 0.8) return 'api';
  if (draw < 0.93) return 'provider';
  return draw < 0.97 ? 'refresh' : 'reboot';
}

function pick<T>(items: readonly T[]): T {
  const item = items[Math.floor(Math.random() * items.length)];
  if (item === undefined) throw new Error('nothing to pick from');
  return item;
}
