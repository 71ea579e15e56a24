/** Which interfaces, realms, agents, groups and translations come, go or change, and which other settings. */
import type { Config } from './config.ts';
import { schemaAt } from './json-schema.ts';
import { knownSchema } from './known-schema.ts';
import type { ValidConfig } from './load.ts';
import { type KeyChange, keyChanges } from './plan-keys.ts';
import { entriesOf, mapAt, textAt } from './raw-access.ts';
import { policyText } from './routing-config.ts';

export interface ElementChange {
  readonly section: ElementSection;
  readonly name: string;
  readonly type: 'added' | 'removed' | 'changed';
  /** Of a changed element. Empty: a value that is kept elsewhere, such as a secret in the environment. */
  readonly keys: readonly KeyChange[];
}

export const ELEMENT_SECTIONS = [
  'realms',
  'sip-interfaces',
  'session-agents',
  'session-groups',
  'translations',
] as const;
export type ElementSection = (typeof ELEMENT_SECTIONS)[number];

interface Named {
  readonly name: string;
}

const ELEMENTS: Readonly<Record<ElementSection, (config: Config) => readonly Named[]>> = {
  realms: (config) => config.realms,
  'sip-interfaces': (config) => config.sipInterfaces,
  'session-agents': (config) => config.sessionAgents,
  'session-groups': (config) => config.sessionGroups,
  translations: (config) => config.translations,
};

/** In the order of the sections: removed, changed and added ones. */
export function elementChanges(old: ValidConfig, next: ValidConfig): ElementChange[] {
  return ELEMENT_SECTIONS.flatMap((section) => {
    const before = byName(ELEMENTS[section](old.config));
    const after = byName(ELEMENTS[section](next.config));
    const removed = [...before.keys()].filter((name) => !after.has(name));
    const added = [...after.keys()].filter((name) => !before.has(name));
    const changed = [...after].filter(
      ([name, element]) => before.has(name) && !isSame(before.get(name), element),
    );
    return [
      ...removed.map((name): ElementChange => ({ section, name, type: 'removed', keys: [] })),
      ...changed.map(([name]): ElementChange => ({
        section,
        name,
        type: 'changed',
        keys: keysOf(old, next, { section, name }),
      })),
      ...added.map((name): ElementChange => ({ section, name, type: 'added', keys: [] })),
    ];
  });
}

function byName(elements: readonly Named[]): ReadonlyMap<string, Named> {
  return new Map(elements.map((element) => [element.name, element]));
}

/** Values of the configuration are plain, and made in the same order of keys. */
function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

function keysOf(
  old: ValidConfig,
  next: ValidConfig,
  { section, name }: Pick<ElementChange, 'section' | 'name'>,
): KeyChange[] {
  const [before, after] = [old, next].map(
    ({ written }) =>
      entriesOf(written, section).find(({ map }) => textAt(map, 'name') === name)?.map,
  );
  return keyChanges(before, after, schemaAt(knownSchema(), [section, 0]));
}

/** Sections whose elements stand in another order, which decides where several would do. */
export function reorderedSections(old: Config, next: Config): string[] {
  const lists: readonly (readonly [string, (config: Config) => readonly string[]])[] = [
    ...ELEMENT_SECTIONS.map((section) => [section, namesIn(section)] as const),
    ['local-policies', ({ localPolicies }) => localPolicies.map((each) => policyText(each))],
  ];
  return lists.flatMap(([section, of]) => {
    const [before, after] = [of(old), of(next)];
    const [inOld, inNext] = [new Set(before), new Set(after)];
    const kept = [
      before.filter((name) => inNext.has(name)),
      after.filter((name) => inOld.has(name)),
    ];
    return isSame(kept[0], kept[1]) ? [] : [section];
  });
}

function namesIn(section: ElementSection): (config: Config) => string[] {
  return (config) => ELEMENTS[section](config).map(({ name }) => name);
}

/** Sections that are one mapping. */
const SETTINGS: readonly (readonly [section: string, of: (config: Config) => unknown])[] = [
  ['sip', (config) => config.sip],
  ['media', (config) => config.media],
  ['admission', (config) => config.admission],
  ['dtmf', (config) => config.dtmf],
  ['feature-keys', (config) => config.featureKeys],
  ['api', (config) => config.api],
  ['cdr', (config) => config.cdr],
  ['hep', (config) => config.hep],
  ['log', (config) => config.log],
];

/** Keys of the other sections; the section alone where a value is kept elsewhere. */
export function settingChanges(old: ValidConfig, next: ValidConfig): KeyChange[] {
  return SETTINGS.flatMap(([section, of]): KeyChange[] => {
    if (isSame(of(old.config), of(next.config))) return [];
    const [before, after] = [old, next].map(({ written }) => mapAt(written, section));
    const changes = keyChanges(before, after, schemaAt(knownSchema(), [section]));
    if (changes.length === 0) return [{ key: section }];
    return changes.map((change) => ({ ...change, key: `${section}.${change.key}` }));
  });
}
