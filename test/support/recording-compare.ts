import { dialogKeyOf } from './recording-ids.ts';
import type { RecordingIds } from './recording-ids.ts';

/** A message or frame taken apart for comparison. */
export interface Comparable {
  /** Tokens in front of the SIP message; empty for a datagram. */
  tokens: string[];
  startLine: string;
  /** By name in lower case; repeated fields joined. */
  headers: Map<string, string>;
  body: string;
}

/** Something in which the replay may differ from every recording, and why that is right. */
interface Normalisation {
  readonly reason: string;
  apply(recorded: Comparable, actual: Comparable): void;
}

/**
 * Everything that is allowed to differ in any scenario. Ids, tags, branches, sequence numbers, ports and times
 * are mapped, not normalised: each has to stand for the same thing throughout. Order and capitalisation of
 * header names are free (RFC 3261 §7.3.1).
 */
const NORMALISATIONS: readonly Normalisation[] = [
  {
    reason: 'the version differs, own addresses stand in the order of the configuration',
    apply: (recorded, actual) => {
      if (recorded.tokens[5] === 'v0.8.2' && actual.tokens[5] === 'v0.9.3') {
        actual.tokens[5] = 'v0.8.2';
        for (const side of [recorded, actual]) {
          side.tokens[4] = (side.tokens[4] ?? '').split(',').toSorted().join(',');
        }
      }
    },
  },
  {
    reason: '0.8.2 leaves the protocol of some frames empty',
    apply: (recorded, actual) => {
      for (const index of [4, 6]) {
        if (recorded.tokens[index] === '') recorded.tokens[index] = actual.tokens[index] ?? '';
      }
    },
  },
  {
    reason: 'rport is filled in only when the peer asked for it (RFC 3581)',
    apply: (recorded, actual) => {
      for (const side of [recorded, actual])
        edit(side, 'via', (via) => via.replaceAll(/;rport(=\d+)?/g, ''));
    },
  },
  {
    reason: 'Contact is added wherever the peer needs it: early dialogs, NOTIFY, UPDATE',
    apply: (recorded, actual) => {
      if (!recorded.headers.has('contact') && mayGetContact(actual))
        actual.headers.delete('contact');
    },
  },
  {
    reason:
      'inside a dialog the default Contact is that of the dialog, not a bare address with transport=udp',
    apply: (recorded, actual) => {
      if (!/;tag=/.test(actual.headers.get('to') ?? '')) return;
      for (const side of [recorded, actual]) {
        edit(side, 'contact', (value) =>
          value.replace(/sip:[^@>]*@/, 'sip:').replace(';transport=udp', ''),
        );
      }
    },
  },
  {
    reason: 'a 2xx to SUBSCRIBE always states Expires (RFC 6665)',
    apply: (recorded, actual) => {
      if (!recorded.headers.has('expires') && isSubscribeSuccess(actual))
        actual.headers.delete('expires');
    },
  },
  {
    reason: 'white space behind the commas of a list is free',
    apply: (recorded, actual) => {
      for (const side of [recorded, actual]) {
        for (const [name, value] of side.headers)
          side.headers.set(name, value.replaceAll(/, +/g, ','));
      }
    },
  },
  {
    reason: 'the length is compared with the body it belongs to',
    apply: (recorded, actual) => {
      for (const side of [recorded, actual]) side.headers.delete('content-length');
    },
  },
];

/** Takes a payload (`hasTokens`) or datagram apart. */
export function readComparable(text: string, hasTokens: boolean): Comparable {
  const lineEnd = text.indexOf('\r\n');
  const tokenLine = lineEnd < 0 ? text : text.slice(0, lineEnd);
  const message = hasTokens ? text.slice(lineEnd < 0 ? text.length : lineEnd + 2) : text;
  const headEnd = message.indexOf('\r\n\r\n');
  const head = headEnd < 0 ? message : message.slice(0, headEnd);
  const [startLine = '', ...lines] = head.split('\r\n');
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    const earlier = headers.get(name);
    headers.set(name, earlier === undefined ? value : `${earlier}, ${value}`);
  }
  const body = headEnd < 0 ? '' : message.slice(headEnd + 4);
  return { tokens: hasTokens ? tokenLine.split('|') : [], startLine, headers, body };
}

/** What kind of message it is, in words: `INVITE`, `200 INVITE`. */
export function kindOf(message: Comparable): string {
  const [first = '', status = ''] = message.startLine.split(' ');
  const method = (message.headers.get('cseq') ?? '').split(' ')[1] ?? '';
  return first.startsWith('SIP/') ? `${status} ${method}` : first;
}

/** Learns the names of `actual` and lists where it differs from `recorded`. */
export function compare(recordedText: string, actualText: string, ids: RecordingIds): string[] {
  const isFrame = !/^(SIP\/2\.0|[A-Z]+ \S+ SIP\/2\.0)/.test(actualText);
  const recordedRaw = readComparable(recordedText, isFrame);
  const actual = readComparable(actualText, isFrame);
  const problems = [
    ...learnTokens(recordedRaw, actual, ids),
    ...learnMessage(recordedRaw, actual, ids),
  ];
  const dialog = dialogKeyOf(recordedText);
  const recorded = readComparable(ids.translateMessage(recordedText, dialog), isFrame);
  fixTokens(recorded, actual, ids);
  if (ownTagOfCancel(actual)) recorded.headers.set('to', actual.headers.get('to') ?? '');
  const length = actual.headers.get('content-length');
  if (actual.startLine !== '' && Number(length) !== Buffer.byteLength(actual.body)) {
    problems.push(`content-length ${length} is wrong`);
  }
  for (const normalisation of NORMALISATIONS) normalisation.apply(recorded, actual);
  return [...problems, ...listDifferences(recorded, actual)];
}

/** How many identifying parts of two messages of one kind agree, to tell forks and calls apart. */
export function likeness(recordedText: string, actualText: string, ids: RecordingIds): number {
  const isFrame = !/^(SIP\/2\.0|[A-Z]+ \S+ SIP\/2\.0)/.test(actualText);
  const text = ids.translateMessage(recordedText, dialogKeyOf(recordedText));
  const recorded = readComparable(text, isFrame);
  const actual = readComparable(actualText, isFrame);
  const names = ['call-id', 'from', 'to', 'cseq', 'via'];
  const equal = names.filter((name) => recorded.headers.get(name) === actual.headers.get(name));
  return equal.length + (recorded.body === actual.body ? 1 : 0);
}

/** Parts that tell calls, forks and transactions apart. */
const IDENTIFYING = [
  /^call-id: *(.*?)\r$/im,
  /^from:.*?;tag=([^;\r]+)/im,
  /^to:.*?;tag=([^;\r]+)/im,
  /^via:.*?;branch=([^;,\r]+)/im,
];

/** Whether `actual` belongs to another call, fork or transaction than the recorded message, as far as names are known. */
export function isOfAnother(recordedText: string, actualText: string, ids: RecordingIds): boolean {
  return IDENTIFYING.some((pattern) => {
    const known = ids.known(pattern.exec(recordedText)?.[1] ?? '');
    const actual = pattern.exec(actualText)?.[1];
    return known !== undefined && actual !== undefined && known !== actual;
  });
}

/** The 200 to a CANCEL may carry any tag of ours; the transaction layer writes it. */
function ownTagOfCancel(actual: Comparable): boolean {
  return kindOf(actual) === '200 CANCEL';
}

function learnTokens(recorded: Comparable, actual: Comparable, ids: RecordingIds): string[] {
  const index = recorded.tokens[1] === 'sip' ? 8 : 10;
  const before = recorded.tokens[index];
  const after = actual.tokens[index];
  if (!before || !after || recorded.tokens.length < 10) return [];
  return ids.learn(before, after) ? [] : [`transaction id ${before} became ${after}`];
}

function learnMessage(recorded: Comparable, actual: Comparable, ids: RecordingIds): string[] {
  if (recorded.startLine === '' || ownTagOfCancel(actual)) return [];
  const pairs: [string, RegExp][] = [
    ['call-id', /^(.+)$/],
    ['from', /;tag=([^;]+)/],
    ['to', /;tag=([^;]+)/],
    ['via', /;branch=([^;,]+)/],
  ];
  const problems: string[] = [];
  for (const [name, pattern] of pairs) {
    const before = pattern.exec(recorded.headers.get(name) ?? '')?.[1];
    const after = pattern.exec(actual.headers.get(name) ?? '')?.[1];
    if (before === undefined || after === undefined) continue;
    if (!ids.learn(before, after)) problems.push(`${name} ${before} became ${after}`);
  }
  const dialog = `${recorded.headers.get('call-id') ?? ''};from-tag=${/;tag=([^;]+)/.exec(recorded.headers.get('from') ?? '')?.[1] ?? ''}`;
  const numbers = [recorded, actual].map((side) =>
    Number.parseInt(side.headers.get('cseq') ?? '', 10),
  );
  const [before = 0, after = 0] = numbers;
  if (!ids.learnCSeq(dialog, before, after)) problems.push(`cseq ${before} became ${after}`);
  const rseqs = [recorded, actual].map((side) =>
    Number.parseInt(side.headers.get('rseq') ?? '', 10),
  );
  const [rseqBefore = Number.NaN, rseqAfter = Number.NaN] = rseqs;
  if (!Number.isNaN(rseqBefore) && !ids.learnRSeq(rseqBefore, rseqAfter))
    problems.push('rseq differs');
  return problems;
}

/** Message ids and times are new each time, sizes follow the text, ports are mapped. */
function fixTokens(recorded: Comparable, actual: Comparable, ids: RecordingIds): void {
  const isSip = actual.tokens[1] === 'sip';
  const [size, port, time] = isSip ? [3, 6, 7] : [5, 8, 9];
  recorded.tokens[0] = actual.tokens[0] ?? '';
  if (actual.tokens.length < 10 || recorded.tokens.length < 10) return;
  recorded.tokens[size] = actual.tokens[size] ?? '';
  recorded.tokens[time] = actual.tokens[time] ?? '';
  recorded.tokens[port] = ids.port(recorded.tokens[port] ?? '');
  const isNew = isSip && recorded.tokens[11] !== undefined;
  if (isNew) recorded.tokens[11] = ids.port(recorded.tokens[11] ?? '');
}

function listDifferences(recorded: Comparable, actual: Comparable): string[] {
  const problems: string[] = [];
  const check = (name: string, before: string | undefined, after: string | undefined): void => {
    if (before !== after)
      problems.push(`${name}: ${before ?? 'nothing'} became ${after ?? 'nothing'}`);
  };
  check('tokens', recorded.tokens.join('|'), actual.tokens.join('|'));
  check('start line', recorded.startLine, actual.startLine);
  check('body', recorded.body, actual.body);
  for (const name of new Set([...recorded.headers.keys(), ...actual.headers.keys()])) {
    check(name, recorded.headers.get(name), actual.headers.get(name));
  }
  return problems;
}

function edit(message: Comparable, name: string, change: (value: string) => string): void {
  const value = message.headers.get(name);
  if (value !== undefined) message.headers.set(name, change(value));
}

function mayGetContact(message: Comparable): boolean {
  return /^(1\d\d INVITE|NOTIFY|UPDATE|200 UPDATE)$/.test(kindOf(message));
}

function isSubscribeSuccess(message: Comparable): boolean {
  return /^2\d\d SUBSCRIBE$/.test(kindOf(message));
}
