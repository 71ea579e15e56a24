/** The Diversion header: who forwarded a call, the newest on top (RFC 5806). */
import {
  formatNameAddr,
  type HeaderParameters,
  type NameAddr,
  parseNameAddr,
  splitHeaderList,
} from './sip-headers.ts';
import { unquote } from './sip-text.ts';
import { attempt } from './wire-error.ts';

/** One value of the header. */
export interface Diversion {
  readonly displayName?: string;
  /** Of the party that forwarded. */
  readonly uri: string;
  /** `unconditional`, `user-busy`, `no-answer`, …; `unknown` where none is given. */
  readonly reason: string;
  /** How many forwards the value stands for, from 1 to 99; 99 where it cannot be read. */
  readonly counter: number;
  /** The party is not to be shown to the callee. */
  readonly isPrivate: boolean;
  /** Further parameters, as they came. */
  readonly others: HeaderParameters;
}

/** More than this of one message are not looked at. */
const MAX_DIVERSIONS = 32;
const MAX_COUNTER = 99;

/** The diversions in header values, newest first; what cannot be read is left out. */
export function parseDiversions(values: readonly string[]): Diversion[] {
  return values.flatMap(elementsOf).slice(0, MAX_DIVERSIONS);
}

/** One value; `privacy` is always said. */
export function formatDiversion(diversion: Diversion): string {
  const { displayName, uri, reason, counter, isPrivate, others } = diversion;
  const parameters = new Map([
    ['reason', reason],
    ['counter', String(counter)],
    ['privacy', isPrivate ? 'full' : 'off'],
    ...others,
  ]);
  return formatNameAddr({ ...(displayName === undefined ? {} : { displayName }), uri, parameters });
}

function elementsOf(value: string): Diversion[] {
  const elements = attempt(
    () => splitHeaderList(value),
    () => [],
  );
  return elements.flatMap((element) =>
    attempt(
      () => [diversionIn(parseNameAddr(element))],
      () => [],
    ),
  );
}

function diversionIn({ displayName, uri, parameters }: NameAddr): Diversion {
  const { reason = '', counter = '', privacy = 'off' } = Object.fromEntries(parameters);
  const others = [...parameters].filter(([name]) => !OWN_PARAMETERS.has(name));
  return {
    ...(displayName === undefined ? {} : { displayName }),
    uri,
    reason: plain(reason) === '' ? 'unknown' : plain(reason),
    counter: countOf(plain(counter)),
    isPrivate: plain(privacy) !== 'off',
    others: new Map(others),
  };
}

/** What cannot be read may stand for any number of forwards. */
function countOf(counter: string): number {
  if (counter === '') return 1;
  return /^\d+$/.test(counter) ? Math.min(Math.max(Number(counter), 1), MAX_COUNTER) : MAX_COUNTER;
}

const OWN_PARAMETERS: ReadonlySet<string> = new Set(['reason', 'counter', 'privacy']);

function plain(value: string): string {
  return (value.startsWith('"') ? unquote(value) : value).toLowerCase();
}
