/** One SRV record: where a service of a domain is found (RFC 2782). */
export interface ServiceRecord {
  /** Host name of the server; '' or '.' says that the domain does not offer the service. */
  readonly name: string;
  readonly port: number;
  /** The lowest is tried first, 0–65535. */
  readonly priority: number;
  /** Share of the first tries among records of one priority, 0–65535. */
  readonly weight: number;
}

/**
 * The order in which servers are tried (RFC 2782): by priority, and within one priority drawn by lot, each record
 * with a chance in proportion to its weight; those of weight 0 come almost always last.
 *
 * @param random numbers from 0 inclusive to 1 exclusive, one for each draw.
 */
export function orderServices(
  records: readonly ServiceRecord[],
  random: () => number,
): readonly ServiceRecord[] {
  const byPriority = records.toSorted((one, other) => one.priority - other.priority);
  const ordered: ServiceRecord[] = [];
  for (let start = 0; start < byPriority.length;) {
    const priority = byPriority[start]?.priority;
    const rest = byPriority.findIndex(
      (record, index) => index > start && record.priority !== priority,
    );
    const end = rest < 0 ? byPriority.length : rest;
    ordered.push(...drawAll(byPriority.slice(start, end), random));
    start = end;
  }
  return ordered;
}

/** Whether the domain says that it does not offer the service at all. */
export function isUnavailable(records: readonly ServiceRecord[]): boolean {
  return records.length > 0 && records.every(({ name }) => name === '' || name === '.');
}

function drawAll(records: readonly ServiceRecord[], random: () => number): ServiceRecord[] {
  // Records of weight 0 in front: the lot 0 is theirs, so that they keep a small chance.
  const left = records.toSorted((one, other) => Math.sign(one.weight) - Math.sign(other.weight));
  const drawn: ServiceRecord[] = [];
  while (left.length > 0) {
    const total = left.reduce((sum, { weight }) => sum + weight, 0);
    const lot = Math.floor(random() * (total + 1));
    drawn.push(...left.splice(indexOfLot(left, lot), 1));
  }
  return drawn;
}

/** The first record at which the running sum of weights reaches `lot`. */
function indexOfLot(records: readonly ServiceRecord[], lot: number): number {
  let sum = 0;
  return records.findIndex(({ weight }) => {
    sum += weight;
    return sum >= lot;
  });
}
