/** policy-attribute -> where a local policy leads, when and at what cost. */
import type { PolicyTargets } from './acme-policies.ts';
import type { ElementReader } from './acme-reader.ts';
import type { YamlEntry } from './acme-yaml.ts';

export interface PolicyHop {
  readonly line: number;
  /** Agent or group here. */
  readonly name: string;
  readonly methods: readonly string[];
  readonly cost: number;
  readonly isTimed: boolean;
  /** Nothing is tried after it. */
  readonly isLast: boolean;
  readonly entries: readonly YamlEntry[];
}

const MAX_COST = 10_000;
const METHODS = [
  'INVITE',
  'REGISTER',
  'OPTIONS',
  'MESSAGE',
  'SUBSCRIBE',
  'NOTIFY',
  'PUBLISH',
  'REFER',
];
const DAY_NAMES: Readonly<Record<string, string>> = {
  M: 'mon',
  T: 'tue',
  W: 'wed',
  R: 'thu',
  F: 'fri',
  S: 'sat',
  U: 'sun',
};
/** The order of the week there. */
const WEEK = 'UMTWRFS';

/** `source`: name of a realm that the requests come from, if it is one. */
export function readAttribute(
  reader: ElementReader,
  source: string | undefined,
  targets: PolicyTargets,
): PolicyHop | undefined {
  const hop = hopOf(reader, source, targets);
  if (hop.type === 'lost') {
    reader.loseWhole(hop.reason, hop.advice);
    return undefined;
  }
  const time = timeOf(reader);
  const methods = methodsOf(reader);
  if (time.type === 'lost' || methods.type === 'lost') {
    reader.loseWhole(
      time.type === 'lost' ? time.reason : 'none of its methods is routed by policies',
      'write the policy by hand',
    );
    return undefined;
  }
  judge(reader, hop.note);
  const cost = reader.number('cost') ?? 0;
  if (cost > 0)
    reader.carry(
      'cost',
      'the longer prefix goes before the lower cost; `priority` goes before both',
    );
  reader.finish();
  return {
    line: reader.line,
    name: hop.name,
    methods: methods.names,
    cost: Math.min(cost, MAX_COST),
    isTimed: time.entries.length > 0,
    isLast: reader.text('terminate-recursion') === 'enabled',
    entries: [
      ...methods.entries,
      ...(cost === 0 ? [] : [{ key: 'cost', value: Math.min(cost, MAX_COST) }]),
      { key: 'next-hop', value: hop.name },
      ...time.entries,
    ],
  };
}

type Hop =
  | { readonly type: 'hop'; readonly name: string; readonly note?: string }
  | { readonly type: 'lost'; readonly reason: string; readonly advice: string };

function lost(reason: string, advice: string): Hop {
  return { type: 'lost', reason, advice };
}

function hopOf(reader: ElementReader, source: string | undefined, targets: PolicyTargets): Hop {
  if (reader.text('state') === 'disabled')
    return lost('is disabled', 'add it when it is to be used');
  const protocol = reader.text('app-protocol').toUpperCase();
  if (protocol !== '' && protocol !== 'SIP')
    return lost(`leads to ${protocol}`, 'reach the peer by SIP');
  if (reader.text('action') === 'redirect')
    return lost('answers with a redirection', 'let the caller be routed here');
  const next = reader.text('next-hop');
  const group = /^sag:(.*)$/i.exec(next)?.[1];
  if (group !== undefined) {
    const name = targets.groups.find(group);
    return name === undefined
      ? lost(`there is no group ${group} here`, 'add the group, then the policy')
      : { type: 'hop', name };
  }
  if (/^(?:enum|lrt|dns|h323|ims|tgrp|sip|tel):/i.test(next)) {
    return lost(
      `${next.slice(0, 64)}: routes stand in this file alone`,
      'write the numbers as local-policies',
    );
  }
  const written = reader.text('realm');
  const agent = targets.agents.find(next, written);
  if (agent !== undefined) {
    const isThere = written === '' || targets.parts.realms.serving(written) === agent.realm;
    const note = `the agent is in realm ${agent.realm.name}, not in ${written}`;
    return { type: 'hop', name: agent.name, ...(isThere ? {} : { note }) };
  }
  if (targets.agents.isDisabled(next))
    return lost(`agent ${next} was not carried`, 'add the agent, then the policy');
  return madeUp(reader, next, { source, targets });
}

/** A next hop without session-agent: one is made. */
function madeUp(
  reader: ElementReader,
  next: string,
  { source, targets }: { readonly source: string | undefined; readonly targets: PolicyTargets },
): Hop {
  const { realms } = targets.parts;
  const written = reader.text('realm');
  const others = realms.all().filter(({ name }) => name !== source);
  const realm =
    written === '' ? (others.length === 1 ? others[0] : undefined) : realms.serving(written);
  const agent =
    realm === undefined || next === '' ? undefined : targets.agents.make(next, realm, reader.line);
  if (agent === undefined) {
    const reason = `${next === '' ? 'no next hop' : next.slice(0, 64)} is no session-agent, and no realm says where it is`;
    return { type: 'lost', reason, advice: 'add a session agent, then the policy' };
  }
  return {
    type: 'hop',
    name: agent.name,
    note: `as session agent ${agent.name}, which was made for it`,
  };
}

type Part =
  | { readonly type: 'part'; readonly entries: readonly YamlEntry[] }
  | { readonly type: 'lost'; readonly reason: string };

function timeOf(reader: ElementReader): Part {
  const days = daysOf(reader.text('days-of-week'));
  const from = clock(reader.text('start-time') || '0000');
  const until = clock(reader.text('end-time') || '2400');
  if (days === undefined)
    return { type: 'lost', reason: `days ${reader.text('days-of-week')} cannot be written` };
  if (from === undefined || until === undefined || from === until)
    return { type: 'lost', reason: 'its hours cannot be written' };
  const isAlways = days.length === 7 && from === '00:00' && until === '24:00';
  if (isAlways) return { type: 'part', entries: [] };
  const note = 'the clock of the box had its own time zone: set it';
  for (const name of ['days-of-week', 'start-time', 'end-time']) reader.carry(name, note);
  const value = [
    { key: 'days', value: days.join(',') },
    { key: 'hours', value: `${from}-${until}` },
    { key: 'zone', value: 'UTC' },
  ];
  return { type: 'part', entries: [{ key: 'time', value, note }] };
}

/** `U-S`, `M-F`, `MTW`, `U,S`; H is for holidays, which nobody knows. */
function daysOf(text: string): readonly string[] | undefined {
  const letters = new Set<string>();
  for (const part of (text === '' ? 'U-S' : text.toUpperCase()).split(/[,\s]+/)) {
    const range = /^([MTWRFSU])-([MTWRFSU])$/.exec(part);
    if (range === null) {
      if (!/^[MTWRFSU]{1,7}$/.test(part)) return undefined;
      for (const letter of part) letters.add(letter);
      continue;
    }
    const [, first = 'U', last = 'S'] = range;
    for (let at = WEEK.indexOf(first); ; at = (at + 1) % WEEK.length) {
      letters.add(WEEK.charAt(at));
      if (WEEK.charAt(at) === last) break;
    }
  }
  return Array.from('MTWRFSU')
    .filter((letter) => letters.has(letter))
    .map((letter) => DAY_NAMES[letter] ?? '');
}

function clock(text: string): string | undefined {
  const match = /^([01]\d|2[0-4]):?([0-5]\d)$/.exec(text);
  return match === null ? undefined : `${match[1] ?? ''}:${match[2] ?? ''}`;
}

function methodsOf(
  reader: ElementReader,
):
  | (Part & { readonly type: 'part'; readonly names: readonly string[] })
  | (Part & { readonly type: 'lost' }) {
  const written = reader.list('methods').map((method) => method.toUpperCase());
  if (written.length === 0 || written.includes('ANY'))
    return { type: 'part', entries: [], names: ['INVITE'] };
  const served = [...new Set(written.filter((method) => METHODS.includes(method)))];
  if (served.length === 0) return { type: 'lost', reason: 'methods' };
  const others = written.filter((method) => !served.includes(method));
  const beyond = served.some((method) => method !== 'INVITE')
    ? 'requests outside calls need `methods` on the sip-interface too'
    : undefined;
  reader.carry('methods', others.length === 0 ? beyond : `without ${others.join(', ')}`);
  const isUsual = served.length === 1 && served[0] === 'INVITE';
  const entries = isUsual ? [] : [{ key: 'methods', value: served }];
  return { type: 'part', entries, names: served };
}

function judge(reader: ElementReader, note: string | undefined): void {
  reader.carry('next-hop', note);
  reader.carry('realm');
  reader.ignore('action', 'the Request-URI has the host of the next hop anyway');
  if (reader.text('terminate-recursion') === 'enabled') {
    reader.lose(
      'terminate-recursion',
      'the next policy for the same numbers is always tried',
      'give it other numbers',
    );
  }
  if (reader.text('lookup') === 'multi') {
    reader.lose('lookup', 'the next hop is not routed again', 'name the last hop');
  }
}
