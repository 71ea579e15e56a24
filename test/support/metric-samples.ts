/** Samples of a Prometheus exposition, to be compared before and after something has happened. */

export class MetricSamples {
  /** By series as written. */
  readonly #values = new Map<string, number>();

  constructor(text: string) {
    for (const line of text.split('\n')) {
      if (line === '' || line.startsWith('#')) continue;
      const space = line.lastIndexOf(' ');
      this.#values.set(line.slice(0, space), Number(line.slice(space + 1)));
    }
  }

  static async of(url: string): Promise<MetricSamples> {
    const answer = await fetch(`${url}/metrics`, { headers: { connection: 'close' } });
    return new MetricSamples(await answer.text());
  }

  /** Sum of all series of a name whose labels include those of `selector`: `name{label="value",…}`. */
  sum(selector: string): number {
    const [name = '', labels = ''] = selector.split(/[{}]/);
    const wanted = labels === '' ? [] : labels.split(',');
    let sum = 0;
    for (const [series, value] of this.#values) {
      const [own = '', rest = ''] = series.split(/[{}]/);
      const has = rest.split(',');
      if (own === name && wanted.every((label) => has.includes(label))) sum += value;
    }
    return sum;
  }
}
