/**
 * Running configuration of an Oracle (Acme Packet) SBC -> YAML of ours, with a verdict on every line.
 *
 *   text -> elements -> realms, interfaces, agents, groups, policies, translations -> YAML
 *                    \-> one fate per line: carried, changed, not-carried, ignored
 *
 * A pure function, and one whose time grows with the length of its input whatever stands there.
 */
import { AccessControls } from './acme-access.ts';
import { Agents } from './acme-agents.ts';
import { globalBlocks } from './acme-global.ts';
import { Groups } from './acme-groups.ts';
import { Interfaces } from './acme-interfaces.ts';
import type { Fate, LineFate } from './acme-ledger.ts';
import type { AcmeParts } from './acme-parts.ts';
import { importPolicies } from './acme-policies.ts';
import { Realms } from './acme-realms.ts';
import { finishOthers } from './acme-rest.ts';
import { SharedSettings } from './acme-shared.ts';
import { AcmeSource } from './acme-source.ts';
import { readAcme } from './acme-text.ts';
import { formatBlock, formatSection, type YamlSection } from './acme-yaml.ts';

export interface AcmeImport {
  readonly yaml: string;
  /** One for each line that holds anything, in their order. */
  readonly lines: readonly LineFate[];
  readonly counts: Readonly<Record<Fate, number>>;
  /** Parts of the new configuration: a measure of how long checking takes. */
  readonly parts: number;
}

const HEAD = `# yaml-language-server: $schema=./sbc.schema.json
#
# Made from a running configuration of an Oracle SBC. Comments name the lines it comes from.
# Check it with: tonebridge check FILE

`;

export function importAcme(text: string): AcmeImport {
  const tree = readAcme(text);
  const source = new AcmeSource(tree);
  const parts: AcmeParts = {
    source,
    realms: new Realms(source),
    access: new AccessControls(source),
    shared: new SharedSettings(source),
  };
  const interfaces = new Interfaces(parts);
  const agents = new Agents(parts, interfaces);
  const groups = new Groups(source, agents);
  const policies = importPolicies({ parts, agents, groups });
  const blocks = globalBlocks(source);
  parts.realms.finish();
  parts.shared.finish();
  finishOthers(source);
  const sections: YamlSection[] = [
    { name: 'realms', items: parts.realms.items() },
    { name: 'sip-interfaces', items: interfaces.items },
    { name: 'session-agents', items: agents.items },
    { name: 'session-groups', items: groups.items },
    { name: 'local-policies', items: policies },
    { name: 'translations', items: parts.shared.translationSets.items },
  ];
  const written = [
    ...blocks.map(({ name, item }) => formatBlock(name, item)),
    ...sections.map((section) => formatSection(section)),
  ];
  const { ledger } = source;
  for (const line of tree.filledLines) {
    if (!ledger.has(line))
      ledger.stray(line, '', { fate: 'not-carried', reason: 'was not understood' });
  }
  const lines = ledger.list();
  return {
    yaml: HEAD + written.filter((part) => part !== '').join('\n'),
    lines,
    counts: countsOf(lines),
    parts: sections.reduce((sum, { items }) => sum + items.length, 0),
  };
}

function countsOf(lines: readonly LineFate[]): Readonly<Record<Fate, number>> {
  const counts = { carried: 0, changed: 0, 'not-carried': 0, ignored: 0 };
  for (const { fate } of lines) counts[fate] += 1;
  return counts;
}
