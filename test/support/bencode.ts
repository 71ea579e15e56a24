/** Bencode as the ng protocol uses it: text, whole numbers, lists, dictionaries. */

export type Bencodable = string | number | readonly Bencodable[] | BencodeDictionary;

export interface BencodeDictionary {
  readonly [key: string]: Bencodable;
}

export function bencode(value: Bencodable): string {
  if (typeof value === 'number') return `i${value}e`;
  if (typeof value === 'string') return `${Buffer.byteLength(value)}:${value}`;
  if (isList(value)) return `l${value.map(bencode).join('')}e`;
  const keys = Object.keys(value).toSorted();
  return `d${keys.map((key) => bencode(key) + bencode(value[key] ?? '')).join('')}e`;
}

/** Reads one dictionary. @throws Error when `bytes` are anything else. */
export function bdecode(bytes: Buffer): BencodeDictionary {
  const reader = new Reader(bytes);
  const value = reader.next();
  if (typeof value !== 'object' || isList(value)) throw new Error('no dictionary');
  reader.end();
  return value;
}

/** A value that has to be text. @throws Error when it is not. */
export function textOf(value: Bencodable | undefined): string {
  if (typeof value !== 'string') throw new Error('no text');
  return value;
}

class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  next(): Bencodable {
    const type = String.fromCodePoint(this.#bytes[this.#at] ?? 0);
    if (type === 'i') return Number(this.#until('e').slice(1));
    if (type === 'l') return this.#items();
    if (type !== 'd') return this.#text();
    const items = this.#items();
    const found: Record<string, Bencodable> = {};
    for (let index = 0; index < items.length; index += 2) {
      found[textOf(items[index])] = items[index + 1] ?? '';
    }
    return found;
  }

  end(): void {
    if (this.#at !== this.#bytes.length) throw new Error('bytes behind the end');
  }

  #items(): Bencodable[] {
    const items: Bencodable[] = [];
    this.#at += 1;
    while (this.#bytes[this.#at] !== 0x65) items.push(this.next());
    this.#at += 1;
    return items;
  }

  #text(): string {
    const length = Number(this.#until(':'));
    const end = this.#at + length;
    if (!Number.isInteger(length) || end > this.#bytes.length) throw new Error('no text');
    const text = this.#bytes.toString('utf8', this.#at, end);
    this.#at = end;
    return text;
  }

  #until(mark: string): string {
    const end = this.#bytes.indexOf(mark, this.#at);
    if (end === -1) throw new Error(`no ${mark}`);
    const text = this.#bytes.toString('latin1', this.#at, end);
    this.#at = end + 1;
    return text;
  }
}

function isList(value: Bencodable): value is readonly Bencodable[] {
  return Array.isArray(value);
}
