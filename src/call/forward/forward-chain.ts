/** The forwards that a call has seen, before it came and here, and what is told of them (RFC 5806, 7044, 7544). */
import { type Diversion, formatDiversion, parseDiversions } from '../../wire/diversion.ts';
import {
  causeOfReason,
  diversionsOf,
  forwardCountOf,
  historyOf,
} from '../../wire/forward-conversion.ts';
import {
  formatHistoryEntry,
  type HistoryEntry,
  nextIndex,
  parseHistory,
} from '../../wire/history-info.ts';
import { formatNameAddr, parseNameAddr, splitHeaderList } from '../../wire/sip-headers.ts';
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

/** How often the call was forwarded before it came here. */
export function arrivedForwards({
  diversions,
  history,
}: Pick<ForwardChain, 'diversions' | 'history'>): number {
  return Math.max(counted(diversions), forwardCountOf(history));
}

function counted(diversions: readonly Diversion[]): number {
  return diversions.reduce((sum, { counter }) => sum + counter, 0);
}

/**
 * Why the call may not go on from an account to a target. `identify` makes all names of one party the same. Whoever sent
 * the chain, an entry that names the account is a mark of our own: the call has been forwarded by it before.
 */
export function obstacleTo(
  chain: ForwardChain,
  { from, to }: Pick<Retarget, 'from' | 'to'>,
  { identify, most }: { readonly identify: (uri: string) => string; readonly most: number },
): 'loop' | 'too-many-forwards' | undefined {
  const { diversions, history, retargets } = chain;
  const diverters = [...diversions, ...diversionsOf(history)].map(({ uri }) => identify(uri));
  const seen = [
    from,
    ...history.map(({ uri }) => uri),
    ...retargets.flatMap((retarget) => [retarget.from, retarget.to]),
  ].map(identify);
  if (diverters.includes(identify(from))) return 'loop';
  if ([...diverters, ...seen].includes(identify(to))) return 'loop';
  return arrivedForwards(chain) + retargets.length >= most ? 'too-many-forwards' : undefined;
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

/** What of a call is told to whoever it goes to. */
export interface CallForwards {
  readonly retargets: readonly Retarget[];
  /** For whoever asks for nothing. */
  readonly usual: DiversionHeaders;
  /** How often the call was forwarded before it came here, also where the callee is not told by whom. */
  readonly arrived: number;
  /** The URI of the account of ours that a URI names. */
  readonly accountUri: (uri: string) => string | undefined;
}

/** Of a call that no feature keys act on. */
export const NOT_FORWARDED: CallForwards = {
  retargets: [],
  usual: 'none',
  arrived: 0,
  accountUri: () => undefined,
};

export interface ForwardTold extends CallForwards {
  /** What the callee's agent asks for; `undefined`: it asks for nothing. */
  readonly asked: DiversionHeaders | undefined;
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
    diversion: listOf(crossed['Diversion']).map((value) => inOwnName(value, told)),
    history: listOf(crossed['History-Info']).map((entry) => historyInOwnName(entry, told)),
  };
  const result: Record<string, string> = {};
  const before = toldBefore(arrived, wanted, told);
  if (wanted === 'both' || wanted === 'diversion') {
    const values = [...ownDiversions(told), ...before.diversion];
    if (values.length > 0) result['Diversion'] = values.join(', ');
  }
  if (wanted === 'both' || wanted === 'history-info') {
    const values = withOwnHistory(before.history, told);
    if (values.length > 0) result['History-Info'] = values.join(', ');
  }
  return result;
}

interface Told {
  readonly diversion: readonly string[];
  readonly history: readonly string[];
}

/** What is told of the forwards before ours: as it crossed, derived for who asks, and without names where those may not cross. */
function toldBefore(arrived: Told, wanted: DiversionHeaders, told: ForwardTold): Told {
  const { retargets, asked } = told;
  const first = retargets[0]?.from ?? bareUri(told.called);
  const derived = {
    diversion: diversionsOf(parseHistory(arrived.history)).map(formatDiversion),
    history: historyOf(parseDiversions(arrived.diversion), first).map(formatHistoryEntry),
  };
  const isMissing = (values: readonly string[]): boolean =>
    asked !== undefined && values.length === 0;
  const diversion = isMissing(arrived.diversion) ? derived.diversion : arrived.diversion;
  const history = isMissing(arrived.history) ? derived.history : arrived.history;
  const byDiversion = wanted === 'history-info' ? 0 : counted(parseDiversions(diversion));
  const byHistory = wanted === 'diversion' ? 0 : forwardCountOf(parseHistory(history));
  const unnamed = told.arrived - Math.max(byDiversion, byHistory);
  if (retargets.length === 0 || unnamed <= 0) return { diversion, history };
  const stranger = strangers(unnamed);
  return {
    diversion: [...diversion, formatDiversion(stranger)],
    // Entries that are there already have the indexes.
    history: history.length > 0 ? history : historyOf([stranger], first).map(formatHistoryEntry),
  };
}

/** Stands for the forwards of parties that nobody is told of, so that they count all the same. */
function strangers(counter: number): Diversion {
  const uri = `sip:anonymous@${ANONYMOUS_HOST}`;
  const most = Math.min(counter, MOST_STRANGERS);
  return { uri, reason: 'unknown', counter: most, isPrivate: true, others: new Map() };
}

/** RFC 5806 has two digits for it. */
const MOST_STRANGERS = 99;

/** An account of ours by its own name, and not by the address under which it was reached. */
function inOwnName(value: string, { accountUri }: ForwardTold): string {
  try {
    const address = parseNameAddr(value);
    const uri = accountUri(address.uri);
    return uri === undefined ? value : formatNameAddr({ ...address, uri });
  } catch (error) {
    if (error instanceof WireError) return value;
    throw error;
  }
}

function historyInOwnName(value: string, { accountUri }: ForwardTold): string {
  const [entry] = parseHistory([value]);
  const uri = entry && accountUri(entry.uri);
  return entry === undefined || uri === undefined ? value : formatHistoryEntry({ ...entry, uri });
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
  { retargets, isTrusted, accountUri }: Pick<ForwardTold, 'retargets' | 'isTrusted' | 'accountUri'>,
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
    const target = {
      uri: accountUri(to) ?? bareUri(to),
      isPrivate: false,
      index: nextIndex(index),
    };
    values.push(formatHistoryEntry({ ...target, cause, from: origin }));
  }
  return values;
}

/** The entries about our own forwards alone, for the caller. */
export function ownHistory(told: Pick<CallForwards, 'retargets' | 'accountUri'>): string {
  return withOwnHistory([], { ...told, isTrusted: false }).join(', ');
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
