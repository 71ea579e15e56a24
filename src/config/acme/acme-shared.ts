/** Settings that interfaces, realms and agents take from other elements by name: rules, translations, limits, timers. */
import { readConstraints, readSessionTimer } from './acme-limits.ts';
import { Manipulations } from './acme-manipulations.ts';
import { NameSpace } from './acme-names.ts';
import type { ElementReader } from './acme-reader.ts';
import { type AcmeSource, NamedElements } from './acme-source.ts';
import { Translations } from './acme-translations.ts';
import type { YamlEntry } from './acme-yaml.ts';

/** Names of the header rules of a leg; '' for none. */
interface RuleNames {
  readonly inbound: string;
  readonly outbound: string;
}

export class SharedSettings {
  readonly translationSets: Translations;
  readonly #manipulations: Manipulations;
  readonly #constraints: NamedElements<readonly YamlEntry[]>;
  readonly #timers: NamedElements<readonly YamlEntry[]>;

  constructor(source: AcmeSource) {
    this.translationSets = new Translations(source, new NameSpace());
    this.#manipulations = new Manipulations(source);
    this.#constraints = new NamedElements(
      source.all('session-constraints'),
      'name',
      readConstraints,
    );
    this.#timers = new NamedElements(source.all('session-timer-profile'), 'name', readSessionTimer);
  }

  /** The limits that an interface or its realm names. */
  limits(reader: ElementReader, config: ElementReader | undefined): readonly YamlEntry[] {
    const parameter = 'constraint-name';
    for (const place of config === undefined ? [reader] : [reader, config]) {
      const name = place.text(parameter);
      if (name === '') continue;
      const entries = this.#constraints.get(name);
      if (entries === undefined) place.lose(parameter, `there is no session-constraints ${name}`);
      else {
        place.carry(parameter, 'the limits stand on the sip-interface');
        if (entries.length > 0) return entries;
      }
    }
    return [];
  }

  timers(reader: ElementReader): readonly YamlEntry[] {
    const parameter = 'session-timer-profile';
    const name = reader.text(parameter);
    if (name === '') return [];
    const entries = this.#timers.get(name);
    if (entries === undefined) reader.lose(parameter, `there is no session-timer-profile ${name}`);
    else reader.carry(parameter);
    return entries ?? [];
  }

  /** Header rules of an interface; those of its realm go before its own. */
  headers(
    reader: ElementReader,
    config: ElementReader | undefined,
    { inbound, outbound }: RuleNames,
  ): readonly YamlEntry[] {
    this.#judge(reader);
    if (config !== undefined) this.#judge(config);
    return this.#rules(inbound, outbound);
  }

  /** Header rules of an agent take the place of all those of its interface, which so stand here too. */
  agentHeaders(reader: ElementReader, ofInterface: RuleNames): readonly YamlEntry[] {
    const inbound = reader.text('in-manipulationid');
    const outbound = reader.text('out-manipulationid');
    if (inbound === '' && outbound === '') return [];
    this.#judge(reader);
    return this.#rules(inbound || ofInterface.inbound, outbound || ofInterface.outbound);
  }

  translations(reader: ElementReader | undefined): readonly YamlEntry[] {
    if (reader === undefined) return [];
    return (['in', 'out'] as const).flatMap((direction) => {
      const parameter = `${direction}-translationid`;
      const id = reader.text(parameter);
      if (id === '') return [];
      const name = this.translationSets.use(id);
      if (name === undefined) {
        reader.lose(
          parameter,
          `no session-translation ${id} could be carried`,
          'write it below `translations`',
        );
        return [];
      }
      reader.carry(parameter);
      return [{ key: `translate-${direction}`, value: name }];
    });
  }

  finish(): void {
    this.translationSets.finish();
    this.#manipulations.finish();
    this.#constraints.loseOthers();
    this.#timers.loseOthers();
  }

  #rules(inbound: string, outbound: string): readonly YamlEntry[] {
    const rules = this.#manipulations.use(inbound, outbound);
    return rules.length === 0 ? [] : [{ key: 'header-rules', value: rules }];
  }

  #judge(reader: ElementReader): void {
    for (const parameter of ['in-manipulationid', 'out-manipulationid']) {
      const name = reader.text(parameter);
      if (name === '') continue;
      const found = this.#manipulations.describe(name);
      if (found.type === 'rules') reader.carry(parameter);
      else if (name === 'ACME_NAT_TO_FROM_IP') {
        reader.carry(parameter, 'From and To of each leg have the addresses of that leg anyway');
      } else if (found.type === 'unknown') {
        reader.lose(parameter, `there is no sip-manipulation ${name}`);
      } else
        reader.lose(parameter, `none of the rules of ${name} could be carried`, 'see header-rules');
    }
  }
}
