/** Makes call records comparable: what differs from call to call becomes a word that says what stood there. */
import type { CdrRecord } from '../../src/observe/cdr.ts';

/** `names`: words for texts that are only known at run time, such as ports. */
export function normalised(record: CdrRecord, names: Readonly<Record<string, string>>): unknown {
  return replaced(record, '', names);
}

/** Fields whose value is another one each time. */
const WORDS: Readonly<Record<string, string>> = {
  cdrId: 'ID',
  callId: 'ID',
  hash: 'HASH',
  node: 'NODE',
  sipCallId: 'CALL-ID',
  jitterMs: 'MS',
  pdd: 'SECONDS',
  ring: 'SECONDS',
};
/** Numbers of which only zero says something. */
const COUNTS = new Set(['packets', 'octets', 'bill']);

function replaced(value: unknown, key: string, names: Readonly<Record<string, string>>): unknown {
  if (Array.isArray(value)) return value.map((each) => replaced(each, key, names));
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(
      Object.entries(value).map(([name, each]) => [name, replaced(each, name, names)]),
    );
  }
  if (value === '' || value === undefined) return value;
  const word = WORDS[key];
  if (word !== undefined) return word;
  if (typeof value === 'number') return COUNTS.has(key) && value > 0 ? 'SOME' : value;
  if (typeof value !== 'string') return value;
  if (/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(value)) return 'TIME';
  let text = value.replace(/;tag=[^;]+/, ';tag=TAG');
  for (const [from, to] of Object.entries(names)) text = text.replaceAll(from, to);
  return text;
}
