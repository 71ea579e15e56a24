/** What a panel of the shipped dashboard is, and the queries that most of them ask. `$own` stands for the chosen instances. */

export type PanelUnit = 's' | 'short' | 'percentunit' | 'bytes' | 'reqps' | 'pps' | 'bool_on_off';

export interface PanelQuery {
  readonly expr: string;
  readonly legend: string;
  /** Asks for the exemplars of its histogram too. */
  readonly showsExemplars?: boolean;
}

export interface DashboardPanel {
  readonly title: string;
  readonly unit: PanelUnit;
  /** A number, or a line over time. */
  readonly kind: 'stat' | 'lines';
  readonly queries: readonly PanelQuery[];
  /** What to make of it. */
  readonly description?: string;
}

export interface DashboardRow {
  readonly title: string;
  readonly panels: readonly DashboardPanel[];
}

export function lines(title: string, unit: PanelUnit, ...queries: PanelQuery[]): DashboardPanel {
  return { title, unit, kind: 'lines', queries };
}

export function stat(title: string, unit: PanelUnit, expr: string): DashboardPanel {
  return { title, unit, kind: 'stat', queries: [{ expr, legend: '' }] };
}

export function query(legend: string, expr: string): PanelQuery {
  return { expr, legend };
}

/** Rise per second of a counter, summed by labels. */
export function rate(counter: string, by: string, labels = ''): string {
  return `sum by (${by}) (rate(${counter}{${labels}$own}[$__rate_interval]))`;
}

/** Quantiles of a histogram. */
export function quantiles(histogram: string, ...shares: number[]): PanelQuery[] {
  return shares.map((share) =>
    query(
      `p${share * 100}`,
      `histogram_quantile(${share}, sum by (le) (rate(${histogram}_bucket{$own}[$__rate_interval])))`,
    ),
  );
}

/** The same of a histogram whose buckets name a call: shown as points that lead to it. */
export function ofCalls(histogram: string, ...shares: number[]): PanelQuery[] {
  // Once: each query would show the same points.
  return quantiles(histogram, ...shares).map((each, index) =>
    index === 0 ? { ...each, showsExemplars: true } : each,
  );
}
