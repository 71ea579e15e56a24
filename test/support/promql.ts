/** Which metrics and labels a PromQL expression names; no more is understood of it. */

export interface PromqlUse {
  /** Without the suffixes of histograms. */
  readonly metric: string;
  /** As written. */
  readonly series: string;
  /** In its matchers. */
  readonly labels: readonly string[];
}

export interface PromqlNames {
  readonly uses: readonly PromqlUse[];
  /** Behind by, without, on and ignoring. */
  readonly grouping: readonly string[];
}

const WORDS: ReadonlySet<string> = new Set(
  'and or unless by without on ignoring group_left group_right bool offset Inf NaN'.split(' '),
);
const FUNCTIONS: ReadonlySet<string> = new Set(
  'sum min max avg count rate increase histogram_quantile'.split(' '),
);

/** @throws Error at a function that is not known here, or a bracket that is not closed. */
export function promqlNames(expr: string): PromqlNames {
  const uses: PromqlUse[] = [];
  const grouping: string[] = [];
  // Values of matchers and ranges name nothing.
  const plain = expr.replaceAll(/"(?:[^"\\]|\\.)*"/g, '""').replaceAll(/\[[^\]]*\]/g, '');
  const token = /\b(by|without|on|ignoring)\s*\(([^)]*)\)|\b([a-zA-Z_:][\w:]*)\s*(\{[^}]*\}|\()?/g;
  for (const [, clause, list = '', name = '', tail = ''] of plain.matchAll(token)) {
    if (clause !== undefined) grouping.push(...namesIn(list));
    else if (WORDS.has(name)) continue;
    else if (tail === '(' || FUNCTIONS.has(name)) {
      if (!FUNCTIONS.has(name)) throw new Error(`unknown function ${name} in ${expr}`);
    } else {
      const labels = Array.from(
        tail.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g),
        ([, label = '']) => label,
      );
      uses.push({ series: name, metric: name.replace(/_(?:bucket|sum|count)$/, ''), labels });
    }
  }
  if (plain.split('(').length !== plain.split(')').length) throw new Error(`brackets: ${expr}`);
  return { uses, grouping };
}

function namesIn(list: string): string[] {
  return list
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}
