/** What an operator may have done to headers on their way through a leg. */

export interface HeaderRule {
  /** `in`: what the leg sends us, before the policy sees it; `out`: what we send to the leg, after the policy. */
  readonly direction: 'in' | 'out';
  readonly action: HeaderAction;
  /** Long form, any letter case. */
  readonly header: string;
  /** `add`: the value; `replace`: the new text of what `pattern` matches, with $1 to $9. */
  readonly value: string;
  /** Of fields with this value only; in the syntax of linear-program.ts. */
  readonly pattern: string | undefined;
  /** Upper case; empty: all. A response has the method of its request. */
  readonly methods: readonly string[];
  readonly messages: 'any' | 'requests' | 'responses';
  /** Such as `486` or `4xx`; empty: all. */
  readonly responseCodes: readonly string[];
  /** Only if the message has this header, and with `ifPattern` if one of its values matches. */
  readonly ifHeader: string | undefined;
  readonly ifPattern: string | undefined;
}

/** `pass` lets a header through that the policy would leave out. */
export type HeaderAction = 'add' | 'remove' | 'replace' | 'pass';

/** A name that both SIP engines carry. */
export const HEADER_NAME = /^[A-Za-z][A-Za-z0-9-]{1,63}$/;

/** Values are kept to what fits on a line with room for others. */
export const MAX_RULE_VALUE_LENGTH = 1024;

/** Anything that could end a line, and what has no place in one. */
export const CONTROL = /\p{Cc}/u;

/** Headers by which dialogs, transactions and bodies are told apart: the SBC writes them, rules may not. */
const OWNED: ReadonlySet<string> = new Set([
  'via',
  'route',
  'record-route',
  'path',
  'from',
  'to',
  'call-id',
  'cseq',
  'contact',
  'max-forwards',
  'content-length',
  'content-type',
  'content-encoding',
  'content-disposition',
  'mime-version',
  'require',
  'session-expires',
  'min-se',
  'proxy-require',
  'supported',
  'unsupported',
  'allow',
  'allow-events',
  'event',
  'subscription-state',
  'expires',
  'session-expires',
  'min-se',
  'rseq',
  'rack',
  'replaces',
  'join',
  'target-dialog',
  'refer-to',
  'authorization',
  'proxy-authorization',
  'www-authenticate',
  'proxy-authenticate',
  'authentication-info',
]);

/** Why rules may not name `header`, or `undefined` when they may. */
export function headerNameProblem(header: string): string | undefined {
  if (header.length === 1) return `"${header}" is a short form: write the long name`;
  if (!HEADER_NAME.test(header) || header in {}) return `"${header}" is no header name`;
  if (OWNED.has(header.toLowerCase())) {
    return `${header} belongs to the SBC: dialogs, bodies and topology hiding rest on it, so no rule may touch it`;
  }
  return undefined;
}
