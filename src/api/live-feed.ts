/**
 * Events about calls, agents, digits and the series for whoever listens; a topic without listeners costs nothing.
 *
 *   calls    the ladder gets a row, a call ends    at most one event per 500 ms
 *   digits   the ledger changes                    the same
 *   agents   looked at each second                 one event per agent that has changed
 *   series   a point is added                      one event
 *
 * Each event is written as text once, however many listen.
 */
import type { DigitRecord } from '../observe/digit-ledger.ts';
import type { SeriesPoint } from '../observe/series.ts';
import type { AgentView, CallView, LiveListener } from './backend.ts';
import { Coalescer } from './coalescer.ts';
import { formatEvent } from './event-stream.ts';
import type { LiveEvent, LiveTopic } from './live-views.ts';

type Stop = () => void;

/** Where the events come from. */
export interface FeedSources {
  /** Calls back with the id of every call in which something happens. */
  readonly watchCalls: (listener: (callId: string) => void) => Stop;
  /** `undefined` for a call that is not up. */
  readonly call: (callId: string) => CallView | undefined;
  /** Calls back with the id of every press that is new or has changed. */
  readonly watchDigits: (listener: (pressId: string) => void) => Stop;
  readonly digit: (pressId: string) => DigitRecord | undefined;
  /** The view of an agent is the same object until something about it changes. */
  readonly agents: () => readonly AgentView[];
}

export interface FeedLimits {
  /** Between two events of calls, and of digits. */
  readonly intervalMs: number;
  /** Views in one event. */
  readonly views: number;
  readonly agentIntervalMs: number;
}

export const FEED_LIMITS: FeedLimits = { intervalMs: 500, views: 100, agentIntervalMs: 1_000 };

export class LiveFeed {
  readonly #sources: FeedSources;
  readonly #limits: FeedLimits;
  readonly #listeners: Readonly<Record<LiveTopic, Set<LiveListener>>> = {
    calls: new Set(),
    agents: new Set(),
    digits: new Set(),
    series: new Set(),
  };
  readonly #stops = new Map<LiveTopic, Stop>();
  /** The series come by themselves. */
  readonly #starts: Readonly<Record<LiveTopic, () => Stop>> = {
    calls: () => this.#startCalls(),
    agents: () => this.#startAgents(),
    digits: () => this.#startDigits(),
    series: () => () => undefined,
  };
  #ended: string[] = [];
  #callChanged: ((callId: string) => void) | undefined;

  constructor(sources: FeedSources, limits: FeedLimits = FEED_LIMITS) {
    this.#sources = sources;
    this.#limits = limits;
  }

  readonly watch = (topics: readonly LiveTopic[], listener: LiveListener): Stop => {
    for (const topic of topics) {
      this.#listeners[topic].add(listener);
      if (!this.#stops.has(topic)) this.#stops.set(topic, this.#starts[topic]());
    }
    return () => {
      for (const topic of topics) {
        this.#listeners[topic].delete(listener);
        if (this.#listeners[topic].size > 0) continue;
        this.#stops.get(topic)?.();
        this.#stops.delete(topic);
      }
    };
  };

  callEnded(callId: string): void {
    if (this.#callChanged === undefined) return;
    this.#ended.push(callId);
    this.#callChanged(callId);
  }

  pointAdded(point: SeriesPoint): void {
    this.#emit({ topic: 'series', name: 'point', data: point });
  }

  /** Ends every topic, whoever listens. */
  close(): void {
    for (const stop of this.#stops.values()) stop();
    this.#stops.clear();
    for (const listeners of Object.values(this.#listeners)) listeners.clear();
  }

  #startCalls(): Stop {
    const { intervalMs, views } = this.#limits;
    const changes = new Coalescer({ intervalMs, limit: views }, (callIds, isCut) => {
      const ended = this.#ended.slice(0, views);
      const isPartial = isCut || this.#ended.length > views;
      this.#ended = [];
      const over = new Set(ended);
      const changed = callIds.flatMap((callId) =>
        over.has(callId) ? [] : (this.#sources.call(callId) ?? []),
      );
      this.#emit({ topic: 'calls', name: 'calls', data: { changed, ended, isPartial } });
    });
    const changed = (callId: string): void => changes.add(callId);
    this.#callChanged = changed;
    const stopWatching = this.#sources.watchCalls(changed);
    return () => {
      stopWatching();
      changes.stop();
      this.#callChanged = undefined;
      this.#ended = [];
    };
  }

  #startDigits(): Stop {
    const { intervalMs, views: limit } = this.#limits;
    const changes = new Coalescer({ intervalMs, limit }, (pressIds, isPartial) => {
      const records = pressIds.flatMap((pressId) => this.#sources.digit(pressId) ?? []);
      this.#emit({ topic: 'digits', name: 'digits', data: { records, isPartial } });
    });
    const stopWatching = this.#sources.watchDigits((pressId) => changes.add(pressId));
    return () => {
      stopWatching();
      changes.stop();
    };
  }

  #startAgents(): Stop {
    let known = byName(this.#sources.agents());
    const look = (): void => {
      const views = byName(this.#sources.agents());
      for (const [name, view] of views) {
        if (known.get(name) !== view) this.#emit({ topic: 'agents', name: 'agent', data: view });
      }
      known = views;
    };
    const timer = setInterval(look, this.#limits.agentIntervalMs);
    return () => clearInterval(timer);
  }

  #emit(event: LiveEvent): void {
    const listeners = this.#listeners[event.topic];
    if (listeners.size === 0) return;
    const text = formatEvent(event);
    for (const listener of listeners) listener(event, text);
  }
}

function byName(agents: readonly AgentView[]): Map<string, AgentView> {
  return new Map(agents.map((view) => [view.name, view]));
}
