/** The forwards that a call has seen, before it came and here, and what is told of them (RFC 5806, 7044, 7544). */
import { type Diversion, formatDiversion, parseDiversions } from '../../wire/diversion.ts';
import { causeOfReason, diversionsOf, historyOf } from '../../wire/forward-conversion.ts';
import {
  formatHistoryEntry,
  type HistoryEntry,
  nextIndex,
  parseHistory,
} from '../../wire/history-info.ts';
import { splitHeaderList } from '../../wire/sip-headers.ts';
import { getHeaders, type SipMessage } from '../../wire/sip-message.ts';
import { parseSipUri } from '../../wire/sip-uri.ts';
import { WireError } from '../../wire/wire-error.ts';
import { ANONYMOUS_HOST } from '../headers/header-topology.ts';
import type { DiversionHeaders, Forward, ForwardReason } from './call-features.ts';

/** A forward of ours. */
export interface Retarget {
  readonly feature: Forward['feature'];
  readonly reason: ForwardReason;
  /** The account. */
  readonly from: string;
  readonly to: string;
  /** The account is not to be shown to the callee. */
  readonly isPrivate: boolean;
}

export interface ForwardChain {
  /** As the INVITE of the caller tells it. */
  readonly diversions: readonly Diversion[];
  readonly history: readonly HistoryEntry[];
  /** Ours, oldest first. */
  readonly retargets: readonly Retarget[];
}

/** The chain that `invite` brings. */
export function arrivedChain(invite: SipMessage): ForwardChain {
  return {
    diversions: parseDiversions(getHeaders(invite, 'Diversion')),
    history: parseHistory(getHeaders(invite, 'History-Info')),
    retargets: [],
  };
}

export function extendedBy(chain: ForwardChain, retarget: Retarget): ForwardChain {
  return { ...chain, retargets: [...chain.retargets, retarget] };
}

/** How often the call has been forwarded. */
function forwardCount({ diversions, history, retargets }: ForwardChain): number {
  const told = diversions.reduce((sum, { counter }) => sum + counter, 0);
  const entries = history.filter(({ cause }) => cause !== undefined).length;
  return Math.max(told, entries) + retargets.length;
}

/** Why the call may not go on from an account to a target. `identify` makes all names of one party the same. */
export function obstacleTo(
  chain: ForwardChain,
  { from, to }: Pick<Retarget, 'from' | 'to'>,
  { identify, most }: { readonly identify: (uri: string) => string; readonly most: number },
): 'loop' | 'too-many-forwards' | undefined {
  const seen = [
    from,
    ...chain.diversions.map(({ uri }) => uri),
    ...chain.history.map(({ uri }) => uri),
    ...chain.retargets.flatMap((retarget) => [retarget.from, retarget.to]),
  ].map(identify);
  if (seen.includes(identify(to))) return 'loop';
  return forwardCount(chain) >= most ? 'too-many-forwards' : undefined;
}

/** Everybody the call has been for, oldest first, none twice in a row. */
export function placesOf({ diversions, history, retargets }: ForwardChain): string[] {
  const earlier =
    history.length > diversions.length
      ? history.map(({ uri }) => uri)
      : diversions.map(({ uri }) => uri).toReversed();
  const own = retargets.flatMap(({ from, to }) => [from, to]);
  return [...earlier, ...own].filter((place, at, all) => place !== all[at - 1]);
}

export interface ForwardTold {
  readonly retargets: readonly Retarget[];
  /** What the callee's agent asks for; `undefined`: it asks for nothing. */
  readonly asked: DiversionHeaders | undefined;
  /** For whoever asks for nothing. */
  readonly usual: DiversionHeaders;
  readonly isTrusted: boolean;
  /** Who is called, where nobody has forwarded here. */
  readonly called: string;
}

/** Diversion and History-Info for a callee, made of what crossed and of our own forwards. */
export function forwardHeaders(
  crossed: Readonly<Record<string, string>>,
  told: ForwardTold,
): Record<string, string> {
  const { retargets, asked, usual } = told;
  if (retargets.length === 0 && asked === undefined) return {};
  const wanted = asked ?? usual;
  const arrived = {
    diversion: listOf(crossed['Diversion']),
    history: listOf(crossed['History-Info']),
  };
  const result: Record<string, string> = {};
  if (wanted === 'both' || wanted === 'diversion') {
    const isMissing = asked !== undefined && arrived.diversion.length === 0;
    const derived = isMissing ? diversionsOf(parseHistory(arrived.history)) : [];
    const before = isMissing ? derived.map(formatDiversion) : arrived.diversion;
    const values = [...ownDiversions(told), ...before];
    if (values.length > 0) result['Diversion'] = values.join(', ');
  }
  if (wanted === 'both' || wanted === 'history-info') {
    const isMissing = asked !== undefined && arrived.history.length === 0;
    const first = retargets[0]?.from ?? bareUri(told.called);
    const derived = isMissing ? historyOf(parseDiversions(arrived.diversion), first) : [];
    const before = isMissing ? derived.map(formatHistoryEntry) : arrived.history;
    const values = withOwnHistory(before, told);
    if (values.length > 0) result['History-Info'] = values.join(', ');
  }
  return result;
}

function ownDiversions({ retargets, isTrusted }: ForwardTold): string[] {
  return retargets.toReversed().map((retarget) => {
    const { reason, isPrivate } = retarget;
    const uri = partyOf(retarget, isTrusted);
    return formatDiversion({ uri, reason, counter: 1, isPrivate, others: new Map() });
  });
}

/** `before` with an entry for every account that forwarded and for every target, each once. */
function withOwnHistory(
  before: readonly string[],
  { retargets, isTrusted }: Pick<ForwardTold, 'retargets' | 'isTrusted'>,
): string[] {
  const values = [...before];
  for (const retarget of retargets) {
    const { reason, from, to, isPrivate } = retarget;
    const cause = causeOfReason(reason);
    const answer = reason === 'unconditional' ? {} : { answer: cause };
    const [last] = parseHistory(values.slice(-1));
    const isNamed = last !== undefined && userOf(last.uri) === userOf(from);
    if (isNamed) values.pop();
    const index = isNamed ? last.index : last === undefined ? '1' : nextIndex(last.index);
    const kept = isNamed ? last : {};
    const party = { uri: partyOf(retarget, isTrusted), isPrivate, index };
    values.push(formatHistoryEntry({ ...kept, ...party, ...answer }));
    const origin = { type: 'mp', index } as const;
    const target = { uri: bareUri(to), isPrivate: false, index: nextIndex(index) };
    values.push(formatHistoryEntry({ ...target, cause, from: origin }));
  }
  return values;
}

/** The entries about our own forwards alone, for the caller. */
export function ownHistory(retargets: readonly Retarget[]): string {
  return withOwnHistory([], { retargets, isTrusted: false }).join(', ');
}

function partyOf({ from, isPrivate }: Retarget, isTrusted: boolean): string {
  return isPrivate && !isTrusted ? `sip:anonymous@${ANONYMOUS_HOST}` : from;
}

function listOf(value: string | undefined): string[] {
  if (value === undefined) return [];
  try {
    return splitHeaderList(value);
  } catch (error) {
    if (error instanceof WireError) return [];
    throw error;
  }
}

/** User and host alone: where somebody is reached is nobody else's business. */
function bareUri(uri: string): string {
  try {
    const { user, host } = parseSipUri(uri);
    return user === undefined ? `sip:${host}` : `sip:${user}@${host}`;
  } catch (error) {
    if (error instanceof WireError) return uri;
    throw error;
  }
}

function userOf(uri: string): string {
  try {
    return parseSipUri(uri).user ?? '';
  } catch (error) {
    if (error instanceof WireError) return uri;
    throw error;
  }
}
