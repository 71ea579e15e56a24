/** What is left of a change: its row in the history, its line in the log, its event and its count. */

import type { Log } from '../observe/log.ts';
import type { Feature } from '../wire/feature-event.ts';
import type { FeatureCounters } from './feature-counters.ts';
import type { FeatureActor, FeatureEvent, RefusalCode } from './feature-service.ts';
import type {
  FeatureHistory,
  FeatureSource,
  HistoryRow,
  HistoryValue,
  Presentity,
} from './feature-state.ts';
import { RefusalLog } from './refusal-log.ts';

/** What every record says. */
export interface FeatureSubject {
  readonly presentity: Presentity;
  readonly feature: Feature;
  readonly actor: FeatureActor;
}

export interface AppliedChange extends FeatureSubject {
  readonly old: HistoryValue;
  readonly new: HistoryValue;
  readonly version: number;
  /** Dialogs told. */
  readonly dialogs: number;
  /** The store has written the row already. */
  readonly hasRow: boolean;
}

export interface FeatureRecorderOptions {
  readonly history: FeatureHistory;
  readonly log: Log;
  readonly counters: FeatureCounters;
}

/** The row of a history resolves the promise; a history that fails is logged and harms nothing else. */
export class FeatureRecorder {
  readonly #options: FeatureRecorderOptions;
  readonly #lines = new RefusalLog();
  readonly #listeners = new Set<(event: FeatureEvent) => void>();

  constructor(options: FeatureRecorderOptions) {
    this.#options = options;
  }

  get counters(): FeatureCounters {
    return this.#options.counters;
  }

  onEvent(listener: (event: FeatureEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  emit(event: FeatureEvent): void {
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch (error) {
        this.#options.log.error({ err: error, event: event.type }, 'feature event not taken');
      }
    }
  }

  async applied(change: AppliedChange): Promise<void> {
    const { presentity, feature, actor, version, dialogs } = change;
    const at = timestamp();
    this.counters.updated(feature, actor.source, 'applied');
    this.emit({
      type: 'feature-changed',
      presentity,
      feature,
      old: change.old,
      new: change.new,
      version,
      source: actor.source,
      actor: actor.actor,
      at,
    });
    this.#options.log.info(
      { ...logFields(change), old: masked(change.old), new: masked(change.new), version, dialogs },
      'feature changed',
    );
    if (change.hasRow) return;
    await this.#add({
      ...rowFields(change, at),
      outcome: 'applied',
      old: change.old,
      new: change.new,
      version,
      dialogs,
    });
  }

  /** @param hasRow false: only counted and told, as when a guard refuses many in a row. */
  async refused(
    subject: FeatureSubject,
    refusal: {
      readonly code: RefusalCode;
      readonly reason: string;
      readonly state: HistoryValue;
      readonly requested: HistoryValue;
      readonly version: number;
      readonly dialogs: number;
      readonly hasRow: boolean;
    },
  ): Promise<void> {
    const { presentity, feature, actor } = subject;
    const { code, state, requested, version, dialogs } = refusal;
    const at = timestamp();
    this.counters.updated(feature, actor.source, 'refused');
    this.emit({
      type: 'feature-refused',
      presentity,
      feature,
      code,
      source: actor.source,
      actor: actor.actor,
      at,
    });
    const suppressed = this.#lines.admit(`${presentity} ${feature} ${code}`, Date.now());
    if (suppressed !== undefined) {
      this.#options.log.info(
        {
          ...logFields(subject),
          code,
          state: masked(state),
          requested: masked(requested),
          suppressed,
        },
        'feature change refused',
      );
    }
    if (!refusal.hasRow) return;
    const reason = refusal.reason === '' ? code : `${code}: ${refusal.reason}`;
    await this.#add({
      ...rowFields(subject, at),
      outcome: 'refused',
      reason: code === 'provider' ? reason : code,
      old: state,
      new: requested,
      version,
      dialogs,
    });
  }

  async failed(subject: FeatureSubject, cause: 'storage' | 'timeout', err: unknown): Promise<void> {
    this.counters.updated(subject.feature, subject.actor.source, 'failed');
    const suppressed = this.#lines.admit(`${subject.presentity} failed`, Date.now());
    if (suppressed !== undefined) {
      this.#options.log.warn(
        { ...logFields(subject), cause, err, suppressed },
        'feature change failed',
      );
    }
    await this.#add({
      ...rowFields(subject, timestamp()),
      outcome: 'failed',
      reason: cause,
      dialogs: 0,
    });
  }

  unchanged(feature: Feature, source: FeatureSource): void {
    this.counters.updated(feature, source, 'unchanged');
  }

  /** An administrator gave or took a feature, or its lock. */
  async configured(
    subject: FeatureSubject,
    change: {
      readonly reason: string;
      readonly state: HistoryValue;
      readonly version: number;
      readonly dialogs: number;
    },
  ): Promise<void> {
    const { reason, state, version, dialogs } = change;
    const at = timestamp();
    const { presentity, feature } = subject;
    this.emit({ type: 'feature-configured', presentity, feature, at });
    this.#options.log.info({ ...logFields(subject), reason, dialogs }, 'feature configured');
    await this.#add({
      ...rowFields(subject, at),
      outcome: 'applied',
      reason,
      old: state,
      new: state,
      version,
      dialogs,
    });
  }

  loopGuardTripped(subject: FeatureSubject, holdMs: number): void {
    this.counters.loopGuardTripped();
    this.#options.log.warn({ ...logFields(subject), holdMs }, 'feature loop guard tripped');
  }

  /** The store could not be read. */
  unreadable(presentity: Presentity, cause: 'storage' | 'timeout', err: unknown): void {
    const suppressed = this.#lines.admit(`${presentity} unreadable`, Date.now());
    if (suppressed === undefined) return;
    this.#options.log.warn({ presentity, cause, err, suppressed }, 'feature state not read');
  }

  async #add(row: HistoryRow): Promise<void> {
    try {
      await this.#options.history.add(row);
    } catch (error) {
      this.#options.log.error(
        { presentity: row.presentity, feature: row.feature, err: error },
        'feature history row not written',
      );
    }
  }
}

function timestamp(): string {
  return new Date().toISOString();
}

function rowFields(
  { presentity, feature, actor }: FeatureSubject,
  at: string,
): Pick<HistoryRow, 'at' | 'presentity' | 'feature' | 'source' | 'actor' | 'origin' | 'param'> {
  return {
    at,
    presentity,
    feature,
    source: actor.source,
    actor: actor.actor,
    origin: actor.origin,
    param: actor.param ?? null,
  };
}

function logFields({ presentity, feature, actor }: FeatureSubject): Record<string, unknown> {
  return {
    presentity,
    feature,
    source: actor.source,
    actor: actor.actor,
    origin: actor.origin,
    ...(actor.param === undefined || actor.param === null ? {} : { param: actor.param }),
  };
}

/** The number under a name that the log masks, unless it is told to show digits. */
function masked({ forwardTo, ...value }: HistoryValue): object {
  return forwardTo === undefined ? value : { ...value, digits: forwardTo };
}
