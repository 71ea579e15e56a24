import { Counter, Gauge, type Registry } from 'prom-client';

const PARTS = ['records', 'journal', 'rotation'] as const;

/** The metrics about call records. */
export class CdrMetrics {
  readonly #written: Counter;
  readonly #recovered: Counter;
  readonly #lost: Counter;
  readonly #failures: Counter<'part'>;
  readonly #waiting: Gauge;

  constructor(registry: Registry) {
    const registers = [registry];
    this.#written = new Counter({
      name: 'sbc_cdr_written_total',
      help: 'Call records that reached their file.',
      registers,
    });
    this.#recovered = new Counter({
      name: 'sbc_cdr_recovered_total',
      help: 'Calls of a killed process that were given their record at the start.',
      registers,
    });
    this.#lost = new Counter({
      name: 'sbc_cdr_lost_total',
      help: 'Call records given up because their file could not be written for too long.',
      registers,
    });
    this.#failures = new Counter({
      name: 'sbc_cdr_failures_total',
      help: 'Failures to write call records or their journal, or to rotate the file; tried again.',
      labelNames: ['part'],
      registers,
    });
    for (const part of PARTS) this.#failures.inc({ part }, 0);
    this.#waiting = new Gauge({
      name: 'sbc_cdr_waiting',
      help: 'Call records that wait for the disk.',
      registers,
    });
  }

  written(records: number): void {
    this.#written.inc(records);
  }

  recovered(calls: number): void {
    this.#recovered.inc(calls);
  }

  failed(part: (typeof PARTS)[number], lostRecords: number): void {
    this.#failures.inc({ part });
    this.#lost.inc(lostRecords);
  }

  waiting(records: number): void {
    this.#waiting.set(records);
  }
}
