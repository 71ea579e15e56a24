/** Which keys differ between two texts of the same part of a file, in the spelling of the file. */
import { childNodes, type SchemaNode } from './json-schema.ts';
import { formatPath, type Path } from './problem.ts';
import { emptyMap, isList, type RawMap, type RawValue } from './yaml-source.ts';

export interface KeyChange {
  /** From the element or section on, such as `options-ping.interval`. */
  readonly key: string;
  /** As written or by default; absent where there is none. Secrets are never shown. */
  readonly from?: string;
  readonly to?: string;
}

/** Stands for a secret, so that two different ones read the same. */
export const HIDDEN = '(hidden)';

/**
 * For two parts that differ in meaning; `nodes` are their schema. A default that is written out counts only where nothing
 * else differs, since then it means something: a transport that is written is fixed.
 */
export function keyChanges(
  from: RawMap | undefined,
  to: RawMap | undefined,
  nodes: readonly SchemaNode[],
): KeyChange[] {
  const [before, after] = [from ?? emptyMap(), to ?? emptyMap()];
  const changes = changesIn(before, after, { nodes, path: [], hasDefaults: true });
  if (changes.length > 0) return changes;
  return changesIn(before, after, { nodes, path: [], hasDefaults: false });
}

interface Place {
  readonly nodes: readonly SchemaNode[];
  readonly path: Path;
  readonly hasDefaults: boolean;
  /** The side without the mapping around, where that means something else than all of its defaults. */
  readonly none?: 'from' | 'to' | undefined;
}

/** Mappings that switch something on by being there. */
const OPTIONAL: ReadonlySet<string | number | undefined> = new Set([
  'options-ping',
  'tls',
  'drachtio',
  'auth',
]);

function changesIn(
  from: RawValue | undefined,
  to: RawValue | undefined,
  place: Place,
): KeyChange[] {
  if (isMapping(from) || isMapping(to)) {
    const [before, after] = [isMapping(from) ? from : {}, isMapping(to) ? to : {}];
    const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
    const absent = from === undefined ? 'from' : to === undefined ? 'to' : undefined;
    const none = OPTIONAL.has(place.path.at(-1)) ? absent : place.none;
    return [...keys].flatMap((key) =>
      changesIn(before[key], after[key], below({ ...place, none }, key)),
    );
  }
  if (hasMappings(from) || hasMappings(to)) {
    const [before, after] = [isList(from) ? from : [], isList(to) ? to : []];
    const length = Math.max(before.length, after.length);
    return Array.from({ length }, (_, index) => index).flatMap((index) =>
      changesIn(before[index], after[index], below(place, index)),
    );
  }
  const before = place.none === 'from' ? undefined : shown(from, place);
  const after = place.none === 'to' ? undefined : shown(to, place);
  // Of two secrets only their source text is compared.
  if (before === after && textOf(from) === textOf(to)) return [];
  if (before === after && !isSecret(place)) return [];
  return [
    {
      key: formatPath(place.path),
      ...(before === undefined ? {} : { from: before }),
      ...(after === undefined ? {} : { to: after }),
    },
  ];
}

function below(place: Place, step: string | number): Place {
  const nodes = place.nodes.flatMap((node) => childNodes(node, step));
  return { ...place, nodes, path: [...place.path, step] };
}

/** Of a list, whether its items are. */
function isSecret({ nodes }: Place): boolean {
  return nodes.some(
    (node) =>
      node.writeOnly === true || childNodes(node, 0).some((item) => item.writeOnly === true),
  );
}

function shown(value: RawValue | undefined, place: Place): string | undefined {
  const text = textOf(value);
  if (text !== undefined) return isSecret(place) ? HIDDEN : text;
  if (!place.hasDefaults) return undefined;
  for (const { default: usual } of place.nodes) {
    if (typeof usual === 'string') return usual;
    if (typeof usual === 'number' || typeof usual === 'boolean') return String(usual);
  }
  return undefined;
}

function textOf(value: RawValue | undefined): string | undefined {
  if (value === undefined) return undefined;
  if (!isList(value)) return typeof value === 'string' ? value : undefined;
  return value.length === 0 ? '[]' : `[ ${value.map(String).join(', ')} ]`;
}

function isMapping(value: RawValue | undefined): value is RawMap {
  return typeof value === 'object' && !isList(value);
}

function hasMappings(value: RawValue | undefined): boolean {
  return isList(value) && value.some((item) => isMapping(item));
}
