/** The History-Info header: every target that a request has had, oldest first (RFC 7044). */
import { formatNameAddr, type NameAddr, parseNameAddr, splitHeaderList } from './sip-headers.ts';
import { formatSipUri, parseSipUri } from './sip-uri.ts';
import { attempt } from './wire-error.ts';

/** One entry of the header. */
export interface HistoryEntry {
  readonly displayName?: string;
  /** Of the target, without `cause` and without headers. */
  readonly uri: string;
  /** Why the request came to this target: 302, 408, 486, … (RFC 4458). */
  readonly cause?: number;
  /** How the target answered, where that is why the request went on. */
  readonly answer?: number;
  /** The target is not to be shown to the callee. */
  readonly isPrivate: boolean;
  /** Numbers with dots between them, such as `1.2`. */
  readonly index: string;
  /** How the target was found: `mp` a mapping, `rc` a change of the URI, `np` neither; and from which index. */
  readonly from?: { readonly type: 'mp' | 'rc' | 'np'; readonly index: string };
}

/** More than this of one message are not looked at. */
const MAX_ENTRIES = 32;
const INDEX = /^\d{1,6}(?:\.\d{1,6}){0,31}$/;

/** The entries in header values, oldest first; what cannot be read is left out. */
export function parseHistory(values: readonly string[]): HistoryEntry[] {
  return values.flatMap(elementsOf).slice(0, MAX_ENTRIES);
}

export function formatHistoryEntry(entry: HistoryEntry): string {
  const { displayName, index, from } = entry;
  const parameters = new Map([['index', index]]);
  if (from !== undefined) parameters.set(from.type, from.index);
  const uri = `${withCause(entry)}${headersOf(entry)}`;
  return formatNameAddr({ ...(displayName === undefined ? {} : { displayName }), uri, parameters });
}

/** The index of what was reached from `index` first. */
export function nextIndex(index: string): string {
  return `${index}.1`;
}

function elementsOf(value: string): HistoryEntry[] {
  const elements = attempt(
    () => splitHeaderList(value),
    () => [],
  );
  return elements.flatMap((element) =>
    attempt(
      () => entryIn(parseNameAddr(element)),
      () => [],
    ),
  );
}

function entryIn(address: NameAddr): HistoryEntry[] {
  const index = address.parameters.get('index') ?? '';
  if (!INDEX.test(index)) return [];
  const { displayName } = address;
  const from = originOf(address);
  return [
    {
      ...(displayName === undefined ? {} : { displayName }),
      ...targetIn(address.uri),
      index,
      ...(from === undefined ? {} : { from }),
    },
  ];
}

function originOf({ parameters }: NameAddr): HistoryEntry['from'] {
  for (const type of ['mp', 'rc', 'np'] as const) {
    const index = parameters.get(type);
    if (index !== undefined && INDEX.test(index)) return { type, index };
  }
  return undefined;
}

function targetIn(uri: string): Pick<HistoryEntry, 'uri' | 'cause' | 'answer' | 'isPrivate'> {
  const question = uri.indexOf('?');
  const target = question < 0 ? uri : uri.slice(0, question);
  const headers = question < 0 ? '' : uri.slice(question + 1);
  const cause = /;cause=(\d{3})(?=;|$)/i.exec(target)?.[1];
  const answer = /(?:^|&)reason=sip%3Bcause%3D(\d{3})/i.exec(headers)?.[1];
  return {
    uri: target.replace(/;cause=\d{3}(?=;|$)/i, ''),
    ...(cause === undefined ? {} : { cause: Number(cause) }),
    ...(answer === undefined ? {} : { answer: Number(answer) }),
    isPrivate: /(?:^|&)privacy=[^&]*history/i.test(headers),
  };
}

function withCause({ uri, cause }: HistoryEntry): string {
  if (cause === undefined) return uri;
  return attempt(
    () => {
      const parsed = parseSipUri(uri);
      const parameters = new Map(parsed.parameters).set('cause', String(cause));
      return formatSipUri({ ...parsed, parameters });
    },
    // A number (tel:) has its parameters at the end.
    () => `${uri};cause=${cause}`,
  );
}

/** Escaped as headers of a URI are (RFC 7044 §5.1). */
function headersOf({ answer, isPrivate }: HistoryEntry): string {
  const headers = [
    ...(answer === undefined ? [] : [`Reason=SIP%3Bcause%3D${answer}`]),
    ...(isPrivate ? ['Privacy=history'] : []),
  ];
  return headers.length === 0 ? '' : `?${headers.join('&')}`;
}
