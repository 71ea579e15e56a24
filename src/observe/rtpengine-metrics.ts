import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** One that is near answers in half a millisecond; after 1.5 s nobody waits any more. */
const REQUEST_BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2];

/** Somebody else sent it, it is none, its call is over or of another SBC, it came before. */
const REPORT_DROPS = ['stranger', 'malformed', 'unknown-call', 'copy'] as const;

/** From elsewhere than the node, without a cookie, to a request that is answered or given up, no dictionary. */
const ANSWER_DROPS = ['stranger', 'no-cookie', 'not-awaited', 'malformed'] as const;

export type AnswerDrop = (typeof ANSWER_DROPS)[number];

export type ReportDrop = (typeof REPORT_DROPS)[number];

/** The metrics of the media servers. */
export class RtpengineMetrics {
  readonly #requests: Histogram<'command' | 'node'>;
  readonly #failed: Counter<'command' | 'node' | 'reason'>;
  readonly #up: Gauge<'node'>;
  readonly #dropped: Counter<'reason'>;
  readonly #answersDropped: Counter<'reason'>;

  constructor(registry: Registry) {
    const registers = [registry];
    this.#requests = new Histogram({
      name: 'sbc_rtpengine_request_seconds',
      help: 'Commands to rtpengine until their answer, or until nobody waits for it any more.',
      labelNames: ['command', 'node'],
      buckets: REQUEST_BUCKETS,
      registers,
    });
    this.#failed = new Counter({
      name: 'sbc_rtpengine_requests_failed_total',
      help: 'Commands that rtpengine refused or did not answer, by reason.',
      labelNames: ['command', 'node', 'reason'],
      registers,
    });
    this.#up = new Gauge({
      name: 'sbc_rtpengine_up',
      help: '0 for an rtpengine that does not answer.',
      labelNames: ['node'],
      registers,
    });
    this.#dropped = new Counter({
      name: 'sbc_rtpengine_reports_dropped_total',
      help: 'Reports of digits by rtpengine that could not be used, by reason.',
      labelNames: ['reason'],
      registers,
    });
    this.#answersDropped = new Counter({
      name: 'sbc_rtpengine_answers_dropped_total',
      help: 'Datagrams at the control sockets of rtpengine that answered nothing, by reason.',
      labelNames: ['reason'],
      registers,
    });
    // Present from the start, so that the first one already shows as a rise.
    for (const reason of REPORT_DROPS) this.#dropped.inc({ reason }, 0);
    for (const reason of ANSWER_DROPS) this.#answersDropped.inc({ reason }, 0);
  }

  /** `command` comes from a closed list, `node` from the configuration. */
  request(node: string, command: string, seconds: number): void {
    this.#requests.observe({ command, node }, seconds);
  }

  /** `command` and `reason` come from closed lists. */
  requestFailed(node: string, command: string, reason: string): void {
    this.#failed.inc({ command, node, reason });
  }

  answerDropped(reason: AnswerDrop): void {
    this.#answersDropped.inc({ reason });
  }

  reportDropped(reason: ReportDrop): void {
    this.#dropped.inc({ reason });
  }

  /** All there are. */
  nodes(states: readonly { readonly name: string; readonly isUp: boolean }[]): void {
    for (const { name, isUp } of states) this.#up.set({ node: name }, isUp ? 1 : 0);
  }
}
