/**
 * Large answers on their way between threads. Reading a message takes about as long as making it, so long lists travel apart
 * from what they belong to, a few items with each message:
 *
 *   { findings: [ 900 items ] }  ->  { findings: [] } and { path: ["findings"], items: [ 250 of them ] } four times
 */

export interface ThreadPart {
  /** Keys that lead to the list. */
  readonly path: readonly string[];
  readonly items: readonly unknown[];
}

const PART_ITEMS = 250;

/** Empties the long lists of `value` and gives what they held; lists inside of lists stay as they are. */
export function takeLists(value: object, path: readonly string[] = []): ThreadPart[] {
  return Object.entries(value).flatMap(([key, child]: [string, unknown]): ThreadPart[] => {
    const at = [...path, key];
    if (typeof child !== 'object' || child === null) return [];
    if (!Array.isArray(child)) return takeLists(child, at);
    if (child.length <= PART_ITEMS) return [];
    const items: readonly unknown[] = child.splice(0);
    return Array.from({ length: Math.ceil(items.length / PART_ITEMS) }, (_, n) => ({
      path: at,
      items: items.slice(n * PART_ITEMS, (n + 1) * PART_ITEMS),
    }));
  });
}

/** Puts the items of `part` back. */
export function returnItems(value: object, { path, items }: ThreadPart): void {
  let list: unknown = value;
  for (const key of path) {
    list = typeof list === 'object' && list !== null ? Reflect.get(list, key) : undefined;
  }
  if (!Array.isArray(list)) throw new Error(`there is no list at ${path.join('.')}`);
  list.push(...items);
}
