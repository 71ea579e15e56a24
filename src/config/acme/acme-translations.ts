/**
 * session-translation and translation-rules -> `translations`.
 *
 *   add "9" at 0                 { add-prefix: "9" }
 *   delete "+49" at 0            { strip-prefix: "+49" }
 *   delete @@@ at 0              { strip: 3 }
 *   replace "00" by "+" at 0     { strip-prefix: "00", add-prefix: "+" }
 *   anything elsewhere           { pattern: …, replace: … }
 *
 * There all rules of a list are applied one after the other; here the first that fits is. Lists that come to the same as
 * one rule are put together.
 */
import { readPattern } from '../linear-pattern.ts';
import type { NameSpace } from './acme-names.ts';
import type { ElementReader } from './acme-reader.ts';
import { type AcmeSource, NamedElements } from './acme-source.ts';
import type { YamlEntry, YamlItem, YamlMap } from './acme-yaml.ts';

/** What one of their rules does: characters at `index` go, others come in their place. */
interface Step {
  readonly index: number | 'end';
  /** Text that must be there, or a number of any characters. */
  readonly remove: string | number;
  readonly add: string;
}

const DIGITS = /^[0-9A-Za-z+*#.-]{0,32}$/;
const MAX_INDEX = 64;
/** With the groups around it, a replacement has 32 characters. */
const MAX_INNER_ADD = 28;
const MAX_RULES = 256;

export class Translations {
  readonly items: YamlItem[] = [];
  readonly #sets: NamedElements<{ readonly name: string | undefined }>;
  readonly #rules: NamedElements<{ readonly step: Step | undefined }>;

  constructor(source: AcmeSource, names: NameSpace) {
    this.#rules = new NamedElements(source.all('translation-rules'), 'id', (reader) => ({
      step: readRule(reader),
    }));
    this.#sets = new NamedElements(source.all('session-translation'), 'id', (reader) =>
      this.#addSet(reader, names),
    );
  }

  /** Name of the translation here, if there is one and any of it could be carried. */
  use(id: string): string | undefined {
    return this.#sets.get(id)?.name;
  }

  finish(): void {
    this.#sets.loseOthers();
    this.#rules.loseOthers();
  }

  #addSet(reader: ElementReader, names: NameSpace): { readonly name: string | undefined } {
    const entries: YamlEntry[] = [
      ...this.#list(reader, 'rules-called', 'called'),
      ...this.#list(reader, 'rules-calling', 'calling'),
    ];
    reader.carry('id');
    if (entries.length === 0) {
      reader.finish({ fate: 'not-carried', reason: 'none of its rules could be carried' });
      return { name: undefined };
    }
    reader.finish();
    const name = names.take(reader.text('id'));
    this.items.push({
      comments: [`line ${reader.line}: ${reader.where}`],
      entries: [{ key: 'name', value: name }, ...entries],
    });
    return { name };
  }

  #list(reader: ElementReader, parameter: string, key: string): readonly YamlEntry[] {
    const ids = reader.list(parameter);
    if (ids.length === 0) return [];
    const steps = ids.map((id) => this.#rules.get(id)?.step);
    const known = steps.filter((step) => step !== undefined);
    const lost = ids.filter((_, index) => steps[index] === undefined);
    if (lost.length > 0)
      reader.lose(
        parameter,
        `not carried: ${lost.join(', ')}`,
        'see the translation-rules of that name',
      );
    if (known.length === 0 || known.length > MAX_RULES) {
      if (lost.length === 0) reader.lose(parameter, `more than ${MAX_RULES} rules`);
      return [];
    }
    const together = composed(known);
    const isExact = known.length === 1 || together !== undefined;
    const differs = 'there all rules are applied in turn, here the first that fits: check it';
    if (lost.length === 0) reader.carry(parameter, isExact ? undefined : differs);
    const rules = (together === undefined ? known : [together]).map((step) => ruleOf(step));
    return [
      { key, value: rules, ...(isExact ? {} : { note: 'check: the first rule that fits counts' }) },
    ];
  }
}

function readRule(reader: ElementReader): Step | undefined {
  const step = stepOf(reader);
  if (typeof step === 'string') {
    reader.loseWhole(step, 'write a rule below `translations`');
    return undefined;
  }
  for (const name of ['id', 'type', 'add-string', 'add-index', 'delete-string', 'delete-index'])
    reader.carry(name);
  reader.finish();
  return step;
}

/** The rule, or why it has none here. */
function stepOf(reader: ElementReader): Step | string {
  if (reader.has('input-header-type')) return 'a rule about header fields';
  const type = reader.text('type');
  const add = reader.text('add-string');
  const remove = reader.text('delete-string');
  const addIndex = indexOf(reader.text('add-index'));
  const deleteIndex = indexOf(reader.text('delete-index'));
  if (addIndex === undefined || deleteIndex === undefined) return 'an index beyond any number';
  const wild = /^@+$/.test(remove) ? remove.length : remove;
  if (!DIGITS.test(add) || (typeof wild === 'string' && !DIGITS.test(wild))) {
    return 'holds what no number has';
  }
  if (add.length > MAX_INNER_ADD && (addIndex !== 0 || deleteIndex !== 0)) return 'adds too much';
  if (type === 'add') return add === '' ? 'adds nothing' : { index: addIndex, remove: 0, add };
  if (type !== 'delete' && type !== 'replace') return `its type is ${type === '' ? 'none' : type}`;
  if (remove === '' || (typeof wild === 'number' && wild > 32)) return 'deletes nothing';
  if (deleteIndex === 'end') return 'deletes behind the end';
  if (type === 'delete') return { index: deleteIndex, remove: wild, add: '' };
  if (addIndex !== deleteIndex && add !== '') return 'deletes in one place and adds in another';
  return { index: deleteIndex, remove: wild, add };
}

function indexOf(text: string): number | 'end' | undefined {
  if (text === '$') return 'end';
  const index = text === '' ? 0 : Number(text);
  return Number.isInteger(index) && index >= 0 && index < MAX_INDEX ? index : undefined;
}

/** Steps at the front that always apply, as one. */
function composed(steps: readonly Step[]): Step | undefined {
  let strip = 0;
  let prefix = '';
  for (const { index, remove, add } of steps) {
    if (index !== 0 || typeof remove === 'string') return undefined;
    // What was put in front goes first.
    const own = Math.min(remove, prefix.length);
    strip += remove - own;
    prefix = add + prefix.slice(own);
  }
  const isPossible = prefix.length <= 32 && strip <= 32 && (strip > 0 || prefix !== '');
  return isPossible ? { index: 0, remove: strip, add: prefix } : undefined;
}

function ruleOf({ index, remove, add }: Step): YamlMap {
  const addPrefix = add === '' ? [] : [{ key: 'add-prefix', value: add }];
  if (index === 0 && typeof remove === 'string')
    return [{ key: 'strip-prefix', value: remove }, ...addPrefix];
  if (index === 0)
    return [...(remove === 0 ? [] : [{ key: 'strip', value: Number(remove) }]), ...addPrefix];
  const gone = typeof remove === 'string' ? escaped(remove) : '.'.repeat(remove);
  const [pattern, replace] =
    index === 'end'
      ? ['^(.*)$', `$1${add}`]
      : [`^(${'.'.repeat(index)})${gone}(.*)$`, `$1${add}$2`];
  const program = readPattern(pattern);
  if ('problem' in program) throw new Error(`pattern ${pattern}: ${program.problem}`);
  return [
    { key: 'pattern', value: pattern },
    { key: 'replace', value: replace },
  ];
}

/** `text` as a pattern that fits nothing else. */
export function escaped(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}
