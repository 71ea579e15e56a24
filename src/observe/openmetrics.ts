/**
 * The exposition in OpenMetrics form, made of the Prometheus text: families of counters without `_total`, exemplars
 * behind buckets, no empty lines, an end mark (OpenMetrics 1.0).
 */

/** One observation that stands for the others of its bucket. */
export interface Exemplar {
  readonly callId: string;
  readonly value: number;
  /** Wall clock in ms since 1970. */
  readonly atMs: number;
}

const MS_PER_SECOND = 1_000;

/** The last exemplar of each bucket, by histogram and bucket. */
export class Exemplars {
  /** By the text of the series, such as `sbc_kpml_gap_seconds_bucket{le="0.1"}`. */
  readonly #bySeries = new Map<string, Exemplar>();

  /** `bounds` ascending, as the histogram has them. */
  note(histogram: string, bounds: readonly number[], exemplar: Exemplar): void {
    const bound = bounds.find((limit) => exemplar.value <= limit);
    this.#bySeries.set(`${histogram}_bucket{le="${bound ?? '+Inf'}"}`, exemplar);
  }

  of(series: string): Exemplar | undefined {
    return this.#bySeries.get(series);
  }
}

/** Turns Prometheus text (version 0.0.4) into OpenMetrics text. */
export function toOpenMetrics(text: string, exemplars: Pick<Exemplars, 'of'>): string {
  const lines = text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => (line.startsWith('#') ? familyLine(line) : sampleLine(line, exemplars)));
  return `${lines.join('\n')}\n# EOF\n`;
}

/** `# HELP x_total …` and `# TYPE x_total counter` name the family `x`. */
function familyLine(line: string): string {
  return line.replace(/^(# (?:HELP|TYPE) \w+?)_total(?= )/, '$1');
}

function sampleLine(line: string, exemplars: Pick<Exemplars, 'of'>): string {
  const exemplar = exemplars.of(line.slice(0, line.lastIndexOf(' ')));
  if (exemplar === undefined) return line;
  const { callId, value, atMs } = exemplar;
  return `${line} # {call_id="${callId}"} ${value} ${atMs / MS_PER_SECOND}`;
}
