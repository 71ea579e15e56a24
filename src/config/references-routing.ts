/** What policies, interfaces and agents say about next hops, agents and translations: names that must exist, keys that go together. */
import type { Finding, Path } from './problem.ts';
import { entriesOf, textAt } from './raw-access.ts';
import { LETTERS_PER_SLIP_IN_NAME, listed, nearest } from './suggestion.ts';
import type { RawMap } from './yaml-source.ts';

/** Next hops that are no names. */
const NEXT_HOP_WORDS = ['request-uri', 'reject'];

export function routingReferences(root: RawMap): Finding[] {
  return [
    ...entriesOf(root, 'local-policies').flatMap((entry) => policyFindings(root, entry)),
    ...translationReferences(root),
  ];
}

interface PolicyEntry {
  readonly index: number;
  readonly map: RawMap;
}

function policyFindings(root: RawMap, { index, map }: PolicyEntry): Finding[] {
  const at = (key: string): Path => ['local-policies', index, key];
  const nextHop = textAt(map, 'next-hop');
  const fromAgent = textAt(map, 'from-agent');
  const findings: Finding[] = [];
  const known = knownNames(root);
  if (nextHop !== undefined && !known.targets.has(nextHop)) {
    const message = `next hop "${nextHop}" is neither a session agent nor a session group`;
    findings.push(unknownName(at('next-hop'), message, nextHop, [...known.targets]));
  }
  if (fromAgent !== undefined && !known.agents.has(fromAgent)) {
    const message = `session agent "${fromAgent}" does not exist`;
    findings.push(unknownName(at('from-agent'), message, fromAgent, [...known.agents]));
  }
  if (fromAgent !== undefined && map['from-realm'] !== undefined) {
    const message = 'from-realm or from-agent, not both: an agent has a realm itself';
    findings.push({ path: at('from-realm'), at: 'key', message });
  }
  if (map['to-prefixes'] !== undefined && map['to'] !== undefined) {
    findings.push({ path: at('to'), at: 'key', message: 'to or to-prefixes, not both' });
  }
  return [...findings, ...hopKeyFindings(map, nextHop, at)];
}

/** Keys that belong to one kind of next hop. */
function hopKeyFindings(
  map: RawMap,
  nextHop: string | undefined,
  at: (key: string) => Path,
): Finding[] {
  if (nextHop === undefined) return [];
  const findings: Finding[] = [];
  if (map['to-realm'] !== undefined && nextHop !== 'request-uri') {
    const message = 'to-realm goes with next-hop request-uri only; agents have a realm themselves';
    findings.push({ path: at('to-realm'), at: 'key', message });
  }
  for (const key of ['code', 'reason']) {
    if (map[key] === undefined || nextHop === 'reject') continue;
    findings.push({ path: at(key), at: 'key', message: `${key} goes with next-hop reject only` });
  }
  if (map['translate'] !== undefined && nextHop === 'reject') {
    const message = 'nothing is translated by a policy that rejects';
    findings.push({ path: at('translate'), at: 'key', message });
  }
  return findings;
}

function translationReferences(root: RawMap): Finding[] {
  const places = [
    ['sip-interfaces', ['translate-in', 'translate-out']],
    ['session-agents', ['translate-in', 'translate-out']],
    ['local-policies', ['translate']],
  ] as const;
  const { translations } = knownNames(root);
  return places.flatMap(([section, keys]) =>
    entriesOf(root, section).flatMap(({ index, map }) =>
      keys.flatMap((key): Finding[] => {
        const name = textAt(map, key);
        if (name === undefined || name === 'none' || translations.has(name)) return [];
        const message = `translation "${name}" does not exist`;
        return [unknownName([section, index, key], message, name, [...translations])];
      }),
    ),
  );
}

interface KnownNames {
  readonly agents: ReadonlySet<string>;
  /** What may stand as next-hop. */
  readonly targets: ReadonlySet<string>;
  readonly translations: ReadonlySet<string>;
}

const KNOWN = new WeakMap<RawMap, KnownNames>();

/** Looked at for each of many policies. */
function knownNames(root: RawMap): KnownNames {
  const known = KNOWN.get(root);
  if (known !== undefined) return known;
  const agents = namesOf(root, 'session-agents');
  const names: KnownNames = {
    agents: new Set(agents),
    targets: new Set([...agents, ...namesOf(root, 'session-groups'), ...NEXT_HOP_WORDS]),
    translations: new Set(namesOf(root, 'translations')),
  };
  KNOWN.set(root, names);
  return names;
}

export function namesOf(root: RawMap, section: string): string[] {
  return entriesOf(root, section).flatMap(({ map }) => textAt(map, 'name') ?? []);
}

export function unknownName(
  path: Path,
  message: string,
  name: string,
  known: readonly string[],
): Finding {
  const near = nearest(name, known, LETTERS_PER_SLIP_IN_NAME);
  const list = known.length === 0 ? undefined : `known: ${listed(known)}`;
  return { path, at: 'value', message, suggestion: near ? `did you mean "${near}"?` : list };
}
