/** Values of parameters: quotes, parentheses, lists, and the many ways to write nothing. */

const NOTHING: ReadonlySet<string> = new Set([
  '',
  '""',
  "''",
  '()',
  '<empty>',
  '(empty)',
  '<none>',
  'N/A',
]);

/** The value as one text, '' for nothing; quotes around all of it come off. */
export function textOf(raw: string): string {
  if (NOTHING.has(raw)) return '';
  const isQuoted = raw.length > 1 && raw.startsWith('"') && raw.endsWith('"');
  return isQuoted ? raw.slice(1, -1).replaceAll('\\"', '"') : raw;
}

/** The value as a list: blanks and commas part, quotes hold together, parentheses around the list come off. */
export function listOf(raw: string): readonly string[] {
  const items: string[] = [];
  let item = '';
  let isQuoted = false;
  const close = (): void => {
    if (!NOTHING.has(item)) items.push(item);
    item = '';
  };
  for (const character of withoutParentheses(raw)) {
    if (character === '"') isQuoted = !isQuoted;
    else if (isQuoted || !/[\s,]/.test(character)) item += character;
    else close();
  }
  close();
  return items;
}

/** `name=value` and plain names of `options` and `spl-options`; a leading plus says that it was added. */
export function optionsOf(items: readonly string[]): ReadonlyMap<string, string> {
  return new Map(
    items.map((item): [string, string] => {
      const text = item.replace(/^\+/, '');
      const equals = text.indexOf('=');
      return equals === -1 ? [text, ''] : [text.slice(0, equals), text.slice(equals + 1)];
    }),
  );
}

export function numberOf(text: string): number | undefined {
  return /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}

function withoutParentheses(raw: string): string {
  const text = raw.trim();
  return text.startsWith('(') && text.endsWith(')') ? text.slice(1, -1) : text;
}

/** What `table` says of `key`, which may be any text. */
export function entryOf<T>(table: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}
