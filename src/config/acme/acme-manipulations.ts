/**
 * sip-manipulation -> `header-rules`, as far as they are about whole headers.
 *
 *   add, header-name X, new-value "text"                    { action: add, header: X, value: text }
 *   delete, header-name X, match-value p                    { action: remove, header: X, pattern: p }
 *   manipulate, element-rule replace header-value "text"    { action: replace, header: X, value: text }
 *   find-replace-all, match-value p, new-value "text"       { action: replace, header: X, pattern: p, value: text }
 *
 * Rules with variables ($LOCAL_IP …), stored values, nested manipulations or parts of a header are lost, as are all about
 * headers that belong to the SBC.
 */
import { entryOf } from './acme-value.ts';
import { CONTROL, headerNameProblem, MAX_RULE_VALUE_LENGTH } from '../header-rule.ts';
import { readPattern } from '../linear-pattern.ts';
import { type AcmeSource, NamedElements } from './acme-source.ts';
import type { ElementReader } from './acme-reader.ts';
import { escaped } from './acme-translations.ts';
import type { YamlEntry, YamlMap } from './acme-yaml.ts';

export type HeaderDirection = 'in' | 'out';

const METHODS = ['INVITE', 'UPDATE', 'INFO', 'MESSAGE', 'BYE', 'CANCEL'];
const MESSAGES: Readonly<Record<string, string>> = {
  request: 'requests',
  reply: 'responses',
  any: 'any',
  '': 'any',
};
const MAX_RULES = 64;
const ADVICE = 'write it below `header-rules`, or have the peer do it';

export class Manipulations {
  readonly #sets: NamedElements<readonly YamlMap[]>;

  constructor(source: AcmeSource) {
    this.#sets = new NamedElements(source.all('sip-manipulation'), 'name', readSet);
  }

  /** The rules of both directions, as they stand on one interface or agent. */
  use(inbound: string, outbound: string): readonly YamlMap[] {
    const rules = [
      ...this.#rules(inbound).map((rule) => directed('in', rule)),
      ...this.#rules(outbound).map((rule) => directed('out', rule)),
    ];
    return rules.slice(0, MAX_RULES);
  }

  /** What becomes of a reference to `name`: how many rules came over, or that there are none. */
  describe(name: string): { readonly type: 'built-in' | 'unknown' | 'empty' | 'rules' } {
    if (name.startsWith('ACME_')) return { type: 'built-in' };
    const rules = this.#sets.get(name);
    if (rules === undefined) return { type: 'unknown' };
    return { type: rules.length === 0 ? 'empty' : 'rules' };
  }

  finish(): void {
    this.#sets.loseOthers();
  }

  #rules(name: string): readonly YamlMap[] {
    return name === '' ? [] : (this.#sets.get(name) ?? []);
  }
}

function directed(direction: HeaderDirection, rule: YamlMap): YamlMap {
  return [{ key: 'direction', value: direction }, ...rule];
}

function readSet(reader: ElementReader): readonly YamlMap[] {
  const rules: YamlMap[] = [];
  for (const child of reader.children('header-rule', 'header-rules')) {
    const inner = reader.inner(child);
    const rule = rules.length < MAX_RULES ? ruleOf(inner) : `more than ${MAX_RULES} rules`;
    if (typeof rule === 'string') inner.loseWhole(rule, ADVICE);
    else rules.push(rule);
  }
  reader.carry('name', 'the rules stand where they are used');
  const isLost = rules.length === 0;
  reader.finish(
    isLost
      ? { fate: 'not-carried', reason: 'none of its rules could be carried' }
      : { fate: 'carried' },
  );
  return rules;
}

/** The rule, or why there is none. */
function ruleOf(reader: ElementReader): YamlMap | string {
  const header = reader.text('header-name');
  const problem = headerNameProblem(header);
  if (problem !== undefined) return problem;
  const action = reader.text('action');
  const elements = reader.children('element-rule', 'element-rules');
  if (action !== 'manipulate' && elements.length > 0)
    return 'element rules beside an action of the header';
  const made = action === 'manipulate' ? elementChange(reader) : headerChange(reader, action);
  if (typeof made === 'string') return made;
  const methods = reader.list('methods').map((method) => method.toUpperCase());
  const served = methods.filter((method) => METHODS.includes(method));
  if (methods.length > 0 && served.length === 0) return `no rules for ${methods.join(', ')}`;
  const messages = entryOf(MESSAGES, reader.text('msg-type').toLowerCase());
  if (messages === undefined) return `msg-type ${reader.text('msg-type')}`;
  const others = methods.filter((method) => !served.includes(method));
  reader.carry('methods', others.length === 0 ? undefined : `without ${others.join(', ')}`);
  for (const name of [
    'name',
    'header-name',
    'action',
    'msg-type',
    'comparison-type',
    'match-value',
    'new-value',
  ])
    reader.carry(name);
  reader.finish();
  return [
    made.action,
    { key: 'header', value: header },
    ...made.rest,
    ...(served.length === 0 ? [] : [{ key: 'methods', value: served }]),
    ...(messages === 'any' ? [] : [{ key: 'messages', value: messages }]),
  ];
}

interface Change {
  readonly action: YamlEntry;
  readonly rest: YamlMap;
}

function headerChange(reader: ElementReader, action: string): Change | string {
  const value = reader.text('new-value');
  const pattern = patternOf(reader);
  if (action === 'delete') {
    if (pattern === 'unreadable') return 'its match-value is no pattern here';
    return change('remove', pattern === undefined ? [] : [{ key: 'pattern', value: pattern }]);
  }
  if (action === 'add') {
    if (pattern !== undefined) return 'a condition on a header that is added';
    return literal(value, (text) => change('add', [{ key: 'value', value: text }]));
  }
  if (action === 'find-replace-all') {
    if (pattern === undefined || pattern === 'unreadable')
      return 'its match-value is no pattern here';
    return literal(value, (text) =>
      change('replace', [
        { key: 'pattern', value: pattern },
        { key: 'value', value: text },
      ]),
    );
  }
  return `action ${action === '' ? 'none' : action} has no counterpart`;
}

/** One element rule that replaces the whole value. */
function elementChange(reader: ElementReader): Change | string {
  const [child, ...others] = reader.children('element-rule', 'element-rules');
  if (child === undefined) return 'manipulates nothing';
  if (others.length > 0) return 'several element rules for one header';
  const rule = reader.inner(child);
  if (rule.text('type') !== 'header-value') return `parts of a header (${rule.text('type')})`;
  const action = rule.text('action');
  if (action !== 'replace' && action !== 'find-replace-all')
    return `element rule with action ${action}`;
  const pattern = patternOf(rule);
  if (pattern === 'unreadable') return 'its match-value is no pattern here';
  const made = literal(rule.text('new-value'), (text) =>
    change('replace', [
      ...(pattern === undefined
        ? []
        : [{ key: 'pattern', value: action === 'replace' ? `^.*(${pattern}).*$` : pattern }]),
      { key: 'value', value: text },
    ]),
  );
  if (typeof made === 'string') return made;
  for (const name of [
    'name',
    'parameter-name',
    'type',
    'action',
    'match-val-type',
    'comparison-type',
    'match-value',
    'new-value',
  ])
    rule.carry(name);
  rule.finish();
  return made;
}

function change(action: string, rest: YamlMap): Change {
  return { action: { key: 'action', value: action }, rest };
}

/** `undefined` where everything matches. */
function patternOf(reader: ElementReader): string | undefined {
  const text = reader.text('match-value');
  if (text === '' || text === '.*' || text === '^.*$') return undefined;
  const isPattern = /pattern/.test(reader.text('comparison-type'));
  const pattern = isPattern ? text : `^${escaped(text)}$`;
  return 'problem' in readPattern(pattern) ? 'unreadable' : pattern;
}

/** A text without variables and operators, its dollars doubled for those who read $1 as a group. */
function literal(value: string, make: (text: string) => Change): Change | string {
  const inner = /^"(.*)"$/.exec(value)?.[1] ?? value;
  if (inner === '') return 'no new-value';
  if (/\$|"\s*\+|\+\s*"/.test(inner)) return 'its new-value is computed';
  if (CONTROL.test(inner) || inner.length > MAX_RULE_VALUE_LENGTH)
    return 'its new-value fits on no line';
  return make(inner);
}
