import { Counter, type Registry } from 'prom-client';

/**
 * What a feature of the called account made of a call: `forwarded`; `refused` because of DND; `withheld`, the forward is
 * on and its target not allowed; `loop`, the call was refused since it had been there or been forwarded too often.
 */
export type ForwardResult = 'forwarded' | 'refused' | 'withheld' | 'loop';

/** The metrics about what feature keys do to calls. */
export class ForwardMetrics {
  readonly #calls: Counter<'feature' | 'result'>;

  constructor(registry: Registry) {
    this.#calls = new Counter({
      name: 'sbc_dfks_calls_total',
      help: 'Calls that a feature key of the called account acted on.',
      labelNames: ['feature', 'result'],
      registers: [registry],
    });
  }

  acted(feature: string, result: ForwardResult): void {
    this.#calls.inc({ feature, result });
  }
}
