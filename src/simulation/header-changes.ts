/** What became of the headers of a message on its way from one leg to the other. */
import { headerKey } from '../wire/sip-header-names.ts';
import { getHeaders, type SipMessage } from '../wire/sip-message.ts';

export interface HeaderChange {
  readonly name: string;
  readonly change: 'crossed' | 'changed' | 'vanished' | 'added';
  /** As it came; absent for one that was added. */
  readonly before?: string;
  /** As it went; absent for one that vanished. */
  readonly after?: string;
}

/** Each leg has its own of these, whatever the other one says. */
const OF_THE_LEG = new Set([
  'via',
  'route',
  'record-route',
  'call-id',
  'cseq',
  'content-length',
  'max-forwards',
  'rseq',
  'rack',
]);

/** The headers of `after` against those of `before`, which is absent where the SBC began by itself. */
export function headerChanges(before: SipMessage | undefined, after: SipMessage): HeaderChange[] {
  const names = new Map<string, string>();
  for (const { name } of [...after.headers, ...(before?.headers ?? [])]) {
    const key = headerKey(name);
    if (!OF_THE_LEG.has(key) && !names.has(key)) names.set(key, name);
  }
  return [...names.values()].map((name) =>
    changeOf(name, valueOf(before, name), valueOf(after, name)),
  );
}

function changeOf(
  name: string,
  before: string | undefined,
  after: string | undefined,
): HeaderChange {
  if (before === undefined) return { name, change: 'added', after: after ?? '' };
  if (after === undefined) return { name, change: 'vanished', before };
  return { name, change: before === after ? 'crossed' : 'changed', before, after };
}

function valueOf(message: SipMessage | undefined, name: string): string | undefined {
  const values = message === undefined ? [] : getHeaders(message, name);
  return values.length === 0 ? undefined : values.join(', ');
}
