/** Tolerant reading of the raw file, for checks that must work although the schema may have found problems. */
import { isList, type RawMap, type RawValue } from './yaml-source.ts';

export interface RawEntry {
  readonly index: number;
  readonly map: RawMap;
}

/** The mappings in the list under `section`; whatever is none is left out. */
export function entriesOf(root: RawMap, section: string): RawEntry[] {
  const list = root[section];
  if (!isList(list)) return [];
  return list.flatMap((item, index) => (isMapping(item) ? [{ index, map: item }] : []));
}

export function textAt(map: RawMap | undefined, key: string): string | undefined {
  const value = map?.[key];
  return typeof value === 'string' ? value : undefined;
}

export function mapAt(map: RawMap | undefined, key: string): RawMap | undefined {
  const value = map?.[key];
  return isMapping(value) ? value : undefined;
}

/** The texts of a list with their indexes. */
export function textsAt(map: RawMap, key: string): { index: number; text: string }[] {
  const list = map[key];
  if (!isList(list)) return [];
  return list.flatMap((text, index) => (typeof text === 'string' ? [{ index, text }] : []));
}

function isMapping(value: RawValue | undefined): value is RawMap {
  return typeof value === 'object' && !isList(value);
}
