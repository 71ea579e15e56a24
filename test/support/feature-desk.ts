/** A feature service over a store in memory, with phones that write down what they are told. */

import type { FeatureCounters } from '../../src/feature-keys/feature-counters.ts';
import type { FeatureRules } from '../../src/feature-keys/feature-rules.ts';
import type {
  FeatureActor,
  FeatureEvent,
  FeatureNotice,
  FeatureService,
  FeatureWatcher,
  PhoneSet,
} from '../../src/feature-keys/feature-service.ts';
import { createFeatureService } from '../../src/feature-keys/feature-write-path.ts';
import { createLog } from '../../src/observe/log.ts';
import { MemoryFeatureStore } from './memory-feature-store.ts';

export const ACCOUNT = 'sip:2001@pbx.example';

export const RULES: FeatureRules = {
  provider: { deadlineMs: 3000 },
  defaultRings: 5,
  loopGuard: { changes: 50, withinMs: 20_000, holdMs: 20_000 },
  targets: { allow: [], deny: ['^0900'] },
  domains: { 'pbx.example': [] },
};

export const PHONE: FeatureActor = {
  source: 'phone',
  actor: '2001',
  origin: { callId: 'a1f00d', cseq: 2 },
};

export const API: FeatureActor = {
  source: 'api',
  actor: 'token',
  param: 'portal',
  origin: { address: '127.0.0.1' },
};

/** A dialog that takes every notice and sends nothing. */
export class DeskPhone implements FeatureWatcher {
  readonly id: string;
  readonly notices: FeatureNotice[] = [];

  constructor(id: string) {
    this.id = id;
  }

  notice(notice: FeatureNotice): void {
    this.notices.push(notice);
  }

  whenTold(): Promise<boolean> {
    return Promise.resolve(true);
  }

  /** What came since the last call, as `full`, `empty` or the features; `!` marks what was owed. */
  told(): string[] {
    return this.notices.splice(0).map(({ mark, isOwed }) => {
      const what = mark.type === 'features' ? mark.features.join('+') : mark.type;
      return isOwed ? `${what}!` : what;
    });
  }
}

export class FeatureDesk {
  readonly store: MemoryFeatureStore;
  readonly service: FeatureService;
  readonly events: FeatureEvent[] = [];
  readonly logLines: Record<string, unknown>[] = [];
  readonly counts: string[] = [];
  rules: FeatureRules = RULES;

  constructor(store: MemoryFeatureStore = new MemoryFeatureStore()) {
    this.store = store;
    const counters: FeatureCounters = {
      updated: (feature, source, result) => this.counts.push(`${feature} ${source} ${result}`),
      providerAnswered: (operation, result) => this.counts.push(`${operation} ${result}`),
      loopGuardTripped: () => this.counts.push('loop guard'),
    };
    this.service = createFeatureService({
      provider: store,
      history: store,
      config: () => this.rules,
      log: createLog('info', {
        write: (line: string) => {
          const fields: Record<string, unknown> = JSON.parse(line);
          this.logLines.push(fields);
        },
      }),
      counters,
    });
    this.service.onEvent((event) => this.events.push(event));
  }

  /** A phone that has fetched the state and watches it. */
  async phone(id: string): Promise<DeskPhone> {
    const read = await this.service.read(ACCOUNT, PHONE);
    if (read.type !== 'state') throw new Error(`expected a state, got ${read.type}`);
    const phone = new DeskPhone(id);
    this.service.watch(ACCOUNT, phone, read.state);
    return phone;
  }

  /** The SUBSCRIBE of a phone with these documents. */
  press(setter: DeskPhone | undefined, ...sets: PhoneSet[]) {
    return this.service.setAll(ACCOUNT, sets, PHONE, setter);
  }

  /** Rows of the history, oldest first: outcome, feature, old and new value. */
  rows(): string[] {
    return this.store.rows.map(({ outcome, feature, reason = '', old, new: now }) =>
      [outcome, feature, reason, spelled(old), spelled(now)]
        .filter((word) => word !== '')
        .join(' '),
    );
  }
}

function spelled(value: { status: boolean; forwardTo?: string; ringCount?: number } | undefined) {
  if (value === undefined) return '';
  const { status, forwardTo, ringCount } = value;
  return [status ? 'on' : 'off', forwardTo, ringCount]
    .filter((word) => word !== undefined)
    .join('/');
}
