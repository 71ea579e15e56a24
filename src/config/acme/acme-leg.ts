/** Parameters that stand on interfaces and on agents: DTMF, and options that are parameters here. */
import type { ElementReader } from './acme-reader.ts';
import type { YamlEntry } from './acme-yaml.ts';

export type LegPlace = 'sip-interface' | 'session-agent';

const HAIRPIN = 'kpmlRFC2833-iwf-on-hairpin';
/** As manuals spell it and as boxes print it. */
const HAIRPIN_SPELLINGS: readonly string[] = [HAIRPIN.toLowerCase(), 'kpml2833-iwf-on-hairpin'];
/** Name of the first release that had it. */
const OLD_KPML = 'kpml-2833-interworking';

export function legEntries(reader: ElementReader, place: LegPlace): YamlEntry[] {
  const entries: YamlEntry[] = [];
  entries.push(...kpml(reader, place), ...mode(reader, place), ...payload(reader, place));
  entries.push(...hairpin(reader, place));
  return entries;
}

/** Of several spellings the first that says something counts. */
function hairpin(reader: ElementReader, place: LegPlace): readonly YamlEntry[] {
  let found: readonly YamlEntry[] = [];
  for (const name of new Set(reader.element.parameters.map((parameter) => parameter.name))) {
    if (!HAIRPIN_SPELLINGS.includes(name.toLowerCase())) continue;
    if (found.length === 0) found = flag(reader, name, { key: HAIRPIN, place });
    else reader.lose(name, 'another spelling of it stands above and counts');
  }
  return found;
}

/** The hairpin flag as an option, and what else `known` makes of options; the others are lost. */
export function readOptions(
  reader: ElementReader,
  place: LegPlace,
  known: (name: string, value: string) => YamlEntry | undefined,
): readonly YamlEntry[] {
  const entries: YamlEntry[] = [];
  for (const parameter of ['options', 'spl-options']) {
    const lost: string[] = [];
    for (const [name, value] of reader.options(parameter)) {
      const entry = hairpinOption(name, value, place) ?? known(name, value);
      if (entry === undefined) lost.push(name);
      else entries.push(entry);
    }
    if (lost.length === 0) reader.carry(parameter);
    else
      reader.lose(
        parameter,
        `no counterpart: ${lost.join(', ').slice(0, 200)}`,
        'see whether the peer needs it',
      );
  }
  return entries.filter(
    ({ key }, index) => entries.findIndex((entry) => entry.key === key) === index,
  );
}

function hairpinOption(name: string, value: string, place: LegPlace): YamlEntry | undefined {
  if (!HAIRPIN_SPELLINGS.includes(name.toLowerCase())) return undefined;
  const isOff = ['disabled', 'no', 'false'].includes(value.toLowerCase());
  if (value === 'inherit' && place === 'session-agent') return { key: HAIRPIN, value: 'inherit' };
  return { key: HAIRPIN, value: isOff ? 'disabled' : 'enabled' };
}

function kpml(reader: ElementReader, place: LegPlace): readonly YamlEntry[] {
  const key = 'kpml-interworking';
  if (!reader.has(OLD_KPML)) return flag(reader, key, { key, place });
  if (reader.has(key)) {
    reader.ignore(OLD_KPML, `${key} stands beside it and counts`);
    return flag(reader, key, { key, place });
  }
  const entries = flag(reader, OLD_KPML, { key, place });
  if (entries.length > 0) reader.carry(OLD_KPML, `as ${key}, its later name`);
  return entries;
}

/** enabled or disabled; on an agent, `inherit` besides. */
function flag(
  reader: ElementReader,
  parameter: string,
  { key, place }: { readonly key: string; readonly place: LegPlace },
): readonly YamlEntry[] {
  const value = reader.text(parameter).toLowerCase();
  const usual = place === 'sip-interface' ? ['', 'disabled'] : ['', 'inherit', 'inherited'];
  if (usual.includes(value)) {
    reader.ignore(parameter, 'the default');
    return [];
  }
  if (value !== 'enabled' && value !== 'disabled') {
    reader.lose(parameter, `"${value}" is neither enabled nor disabled`, `write ${key}`);
    return [];
  }
  reader.carry(parameter);
  return [{ key, value }];
}

function mode(reader: ElementReader, place: LegPlace): readonly YamlEntry[] {
  const value = reader.text('rfc2833-mode').toLowerCase();
  const usual = place === 'sip-interface' ? ['', 'transparent', 'none'] : ['', 'none', 'inherit'];
  if (usual.includes(value)) {
    reader.ignore('rfc2833-mode', 'the default');
    return [];
  }
  if (!['transparent', 'preferred', 'dual'].includes(value)) {
    reader.lose(
      'rfc2833-mode',
      `there is no mode ${value}`,
      'choose transparent, preferred or dual',
    );
    return [];
  }
  reader.carry('rfc2833-mode');
  return [{ key: 'rfc2833-mode', value }];
}

function payload(reader: ElementReader, place: LegPlace): readonly YamlEntry[] {
  const value = reader.number('rfc2833-payload');
  const usual = place === 'sip-interface' ? 101 : 0;
  if (value === undefined && reader.text('rfc2833-payload') === '') return [];
  if (value === usual || value === 0) {
    reader.ignore('rfc2833-payload', 'the default');
    return [];
  }
  if (value === undefined || value < 96 || value > 127) {
    reader.lose('rfc2833-payload', 'dynamic payload types are 96 to 127', 'choose one of these');
    return [];
  }
  reader.carry('rfc2833-payload');
  return [{ key: 'rfc2833-payload', value }];
}
