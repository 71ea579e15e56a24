/** Runs the header rules of a leg over the fields of one message. */
import type { HeaderRule } from '../../config/header-rule.ts';
import {
  matchPattern,
  type PatternMatch,
  type Program,
  readPattern,
  type StepBudget,
} from '../../config/linear-pattern.ts';
import { headerKey } from '../../wire/sip-header-names.ts';
import type { SipHeader } from '../../wire/sip-message.ts';

/** What the conditions of rules may ask about a message. */
export interface RuledMessage {
  readonly direction: 'in' | 'out';
  /** Of the request, for a response too. */
  readonly method: string;
  /** Absent in requests. */
  readonly status?: number | undefined;
  readonly headers: readonly SipHeader[];
}

export interface RuledHeaders {
  readonly headers: readonly SipHeader[];
  /** Fields that a `pass` rule lets cross. */
  readonly passed: ReadonlySet<SipHeader>;
}

/** Steps of the pattern matcher that one message may cost: some milliseconds at worst. */
const STEPS_PER_MESSAGE = 25_000;

/** Beyond that a value is no line any more. */
const MAX_VALUE_LENGTH = 2048;

/**
 * The fields as the rules of the message's direction leave them, each rule working on the result of the one before. Where
 * the patterns cost more than a message may cost, the fields they were to judge are removed.
 */
export function applyHeaderRules(
  rules: readonly HeaderRule[],
  message: RuledMessage,
): RuledHeaders {
  const budget: StepBudget = { steps: STEPS_PER_MESSAGE };
  let headers = message.headers;
  const passed = new Set<SipHeader>();
  for (const rule of rules) {
    if (rule.direction !== message.direction || !concerns(rule, message)) continue;
    if (!isConditionMet(rule, headers, budget)) continue;
    headers = applied(rule, headers, { budget, passed });
  }
  return { headers, passed };
}

function concerns(rule: HeaderRule, { method, status }: RuledMessage): boolean {
  if (rule.methods.length > 0 && !rule.methods.includes(method)) return false;
  if (rule.messages === 'requests' && status !== undefined) return false;
  if (rule.messages === 'responses' && status === undefined) return false;
  if (rule.responseCodes.length === 0) return true;
  if (status === undefined) return false;
  const codes = [String(status), `${Math.floor(status / 100)}xx`];
  return rule.responseCodes.some((code) => codes.includes(code));
}

/** A value that is too much to be judged meets every condition: rules rather remove than leave in. */
function isConditionMet(
  rule: HeaderRule,
  headers: readonly SipHeader[],
  budget: StepBudget,
): boolean {
  if (rule.ifHeader === undefined) return true;
  const key = headerKey(rule.ifHeader);
  const program = programOf(rule, 'ifPattern');
  return headers.some(
    (header) =>
      headerKey(header.name) === key &&
      (program === undefined || matchPattern(program, header.value, budget) !== 'none'),
  );
}

function applied(
  rule: HeaderRule,
  headers: readonly SipHeader[],
  state: { readonly budget: StepBudget; readonly passed: Set<SipHeader> },
): readonly SipHeader[] {
  const key = headerKey(rule.header);
  const isThere = headers.some((header) => headerKey(header.name) === key);
  if (rule.action === 'add') {
    if (isThere) return headers;
    const added = { name: rule.header, value: rule.value };
    // What an operator writes himself is meant to go through.
    state.passed.add(added);
    return [...headers, added];
  }
  if (!isThere) return headers;
  return headers.flatMap((header) =>
    headerKey(header.name) === key ? changed(rule, header, state) : [header],
  );
}

function changed(
  rule: HeaderRule,
  header: SipHeader,
  { budget, passed }: { readonly budget: StepBudget; readonly passed: Set<SipHeader> },
): readonly SipHeader[] {
  const program = programOf(rule, 'pattern');
  const match =
    program === undefined ? whole(header.value) : matchPattern(program, header.value, budget);
  if (match === 'exhausted') return [];
  if (match === 'none') return [header];
  if (rule.action === 'remove') return [];
  if (rule.action === 'pass') {
    passed.add(header);
    return [header];
  }
  const value = replaced(header.value, match, rule.value);
  if (value.length > MAX_VALUE_LENGTH) return [];
  const result = { name: header.name, value };
  if (passed.has(header)) passed.add(result);
  return [result];
}

function whole(value: string): PatternMatch {
  return { start: 0, end: value.length, groups: [value] };
}

function replaced(value: string, match: PatternMatch, template: string): string {
  const text = template.replaceAll(/\$([$0-9])/g, (_match, sign: string) =>
    sign === '$' ? '$' : (match.groups[Number(sign)] ?? ''),
  );
  return (value.slice(0, match.start) + text + value.slice(match.end)).trim();
}

/** Compiled once per rule; the rules of an old configuration go with it. */
const compiled = new WeakMap<HeaderRule, { pattern?: Program; ifPattern?: Program }>();

function programOf(rule: HeaderRule, which: 'pattern' | 'ifPattern'): Program | undefined {
  const text = rule[which];
  if (text === undefined) return undefined;
  const programs = compiled.get(rule) ?? {};
  const known = programs[which];
  if (known !== undefined) return known;
  const program = readPattern(text);
  if ('problem' in program) throw new Error(`unchecked pattern: ${program.problem}`);
  compiled.set(rule, { ...programs, [which]: program });
  return program;
}
