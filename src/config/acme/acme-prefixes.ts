/** from-address and to-address -> prefixes of numbers. */

export interface Prefixes {
  /** `*` for every number. */
  readonly prefixes: readonly string[];
  /** What is no prefix: hosts, addresses, patterns. */
  readonly lost: readonly string[];
  /** How they differ. */
  readonly note: string | undefined;
}

/** An address of a local-policy list, none for every number. */
export function prefixesOf(addresses: readonly string[]): Prefixes {
  const prefixes = new Set<string>();
  const lost: string[] = [];
  let note: string | undefined;
  for (const address of addresses.length === 0 ? ['*'] : addresses) {
    const dialled = /^ds:/i.test(address) ? address.slice(3) : address;
    const open = dialled.length > 1 && dialled.endsWith('*') ? dialled.slice(0, -1) : dialled;
    if (address !== open) note = 'DS: and a closing * are left out, since every prefix goes on';
    if (open === '*') prefixes.add('*');
    else if (isPrefix(open)) prefixes.add(open);
    else lost.push(address);
  }
  // Every number: the others say nothing more.
  return { prefixes: prefixes.has('*') ? ['*'] : [...prefixes], lost, note };
}

/** Digits and what stands in numbers, or a user name; hosts and addresses have dots. */
function isPrefix(text: string): boolean {
  return /^\+?[0-9*#A-Fa-f]{1,32}$/.test(text) || /^[A-Za-z0-9_-]{1,32}$/.test(text);
}
