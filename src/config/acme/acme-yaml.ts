/** Writes the sections of the new configuration, with the line of the old one that each part comes from. */

/** Numbers are written bare; texts get quotes wherever another YAML program could take them for something else. */
export type YamlScalar = string | number;
export type YamlValue = YamlScalar | readonly YamlScalar[] | YamlMap | readonly YamlMap[];

export interface YamlEntry {
  readonly key: string;
  readonly value: YamlValue;
  /** Behind the value, as a comment. */
  readonly note?: string;
}

export type YamlMap = readonly YamlEntry[];

/** An item of a section. */
export interface YamlItem {
  /** In the lines above. */
  readonly comments: readonly string[];
  readonly entries: YamlMap;
}

export interface YamlSection {
  readonly name: string;
  readonly items: readonly YamlItem[];
}

const COMMENT_LENGTH = 200;
/** Names, durations, IPv4 addresses with or without port, SIP ports: no other program reads them as numbers. */
const PLAIN =
  /^(?:[A-Za-z][A-Za-z0-9_.-]*|\d{1,9}(?:ms|s|m|h|d)|(?:(?:udp|tcp|tls)\/)?\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?)$/;
const WORDS = new Set(['true', 'false', 'null', 'yes', 'no', 'on', 'off', 'y', 'n']);

export function formatSection({ name, items }: YamlSection): string {
  if (items.length === 0) return '';
  const parts = items.map(({ comments, entries }) => {
    const above = comments.map((text) => `  ${comment(text)}\n`).join('');
    return above + formatItem(entries, 2);
  });
  return `${name}:\n${parts.join('')}`;
}

/** A section that is no list: `media: { … }` as a block. */
export function formatBlock(name: string, { comments, entries }: YamlItem): string {
  if (entries.length === 0) return '';
  const above = comments.map((text) => `${comment(text)}\n`).join('');
  return `${above}${name}:\n${formatMap(entries, 2)}`;
}

function formatItem(entries: YamlMap, indent: number): string {
  const text = formatMap(entries, indent + 2);
  return `${' '.repeat(indent)}- ${text.slice(indent + 2)}`;
}

function formatMap(entries: YamlMap, indent: number): string {
  const margin = ' '.repeat(indent);
  return entries
    .map(({ key, value, note }) => {
      const behind = note === undefined ? '' : ` ${comment(note)}`;
      const name = `${margin}${formatScalar(key)}:`;
      if (isMaps(value)) {
        return `${name}${behind}\n${value.map((map) => formatItem(map, indent + 2)).join('')}`;
      }
      if (isMap(value)) return `${name}${behind}\n${formatMap(value, indent + 2)}`;
      const text = Array.isArray(value)
        ? `[ ${value.map((one: YamlScalar) => formatScalar(one)).join(', ')} ]`
        : formatScalar(scalarOf(value));
      return `${name} ${text === '[  ]' ? '[]' : text}${behind}\n`;
    })
    .join('');
}

function formatScalar(value: YamlScalar): string {
  if (typeof value === 'number') return String(value);
  const isPlain = PLAIN.test(value) && !WORDS.has(value.toLowerCase());
  return isPlain ? value : JSON.stringify(value.toWellFormed());
}

function comment(text: string): string {
  return `# ${text
    .toWellFormed()
    .replaceAll(/[\p{Cc}\u2028\u2029\uFEFF]/gu, ' ')
    .slice(0, COMMENT_LENGTH)}`;
}

function isMaps(value: YamlValue): value is readonly YamlMap[] {
  return Array.isArray(value) && Array.isArray(value[0]);
}

function isMap(value: YamlValue): value is YamlMap {
  return Array.isArray(value) && typeof value[0] === 'object' && !Array.isArray(value[0]);
}

function scalarOf(value: YamlValue): YamlScalar {
  if (typeof value === 'string' || typeof value === 'number') return value;
  throw new Error('not a scalar');
}
