import { Counter, type Registry } from 'prom-client';
import { HEP_CONTENTS, HEP_RESULTS, type HepContent, type HepResult } from './hep-sender.ts';

/** The metrics about capture by Homer. */
export class HepMetrics {
  readonly #packets: Counter<'type' | 'result'>;

  constructor(registry: Registry) {
    this.#packets = new Counter({
      name: 'sbc_hep_packets_total',
      help: 'Datagrams for the capture server by what they hold and what became of them.',
      labelNames: ['type', 'result'],
      registers: [registry],
    });
    for (const type of HEP_CONTENTS) {
      for (const result of HEP_RESULTS) this.#packets.inc({ type, result }, 0);
    }
  }

  sent(type: HepContent, result: HepResult): void {
    this.#packets.inc({ type, result });
  }
}
