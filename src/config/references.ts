/** What one part of the file says about another: names that must exist, names that may exist once. */
import type { Finding, Path } from './problem.ts';
import { portFindings } from './references-ports.ts';
import { entriesOf, mapAt, textAt, textsAt } from './raw-access.ts';
import { featureReferences } from './references-features.ts';
import { methodReferences } from './references-methods.ts';
import { namesOf, routingReferences, unknownName } from './references-routing.ts';
import { isList, type RawMap } from './yaml-source.ts';

/** Findings about names and ports of the raw file. */
export function referenceFindings(root: RawMap): Finding[] {
  return [
    ...duplicateNames(root),
    ...realmReferences(root),
    ...memberReferences(root),
    ...routingReferences(root),
    ...methodReferences(root),
    ...featureReferences(root),
    ...engineRequirements(root),
    ...portFindings(root),
  ];
}

/** Words that mean something else where a name may stand. */
const RESERVED = ['request-uri', 'reject', 'none', '*'];

function duplicateNames(root: RawMap): Finding[] {
  const findings: Finding[] = [];
  // Agents and groups share one space of names, because next-hop takes either.
  const spaces = [
    ['realms'],
    ['sip-interfaces'],
    ['session-agents', 'session-groups'],
    ['translations'],
  ];
  for (const sections of spaces) {
    const seen = new Map<string, Path>();
    for (const section of sections) {
      for (const { index, map } of entriesOf(root, section)) {
        const name = textAt(map, 'name');
        if (name === undefined) continue;
        const path = [section, index, 'name'];
        const first = seen.get(name);
        if (first !== undefined) {
          const [where, which] = first;
          const message = `"${name}" is already the name of ${String(where)}[${String(which)}]`;
          findings.push({ path, at: 'value', message });
        } else if (RESERVED.includes(name)) {
          findings.push({ path, at: 'value', message: `"${name}" is a reserved word` });
        }
        if (first === undefined) seen.set(name, path);
      }
    }
  }
  return findings;
}

function realmReferences(root: RawMap): Finding[] {
  const realms = namesOf(root, 'realms');
  const findings: Finding[] = [];
  const require = (path: Path, name: string | undefined, extra: readonly string[] = []): void => {
    if (name === undefined || realms.includes(name) || extra.includes(name)) return;
    findings.push(unknownName(path, `realm "${name}" does not exist`, name, realms));
  };
  for (const section of ['sip-interfaces', 'session-agents']) {
    for (const { index, map } of entriesOf(root, section)) {
      require([section, index, 'realm'], textAt(map, 'realm'));
    }
  }
  for (const { index, map } of entriesOf(root, 'local-policies')) {
    require(['local-policies', index, 'from-realm'], textAt(map, 'from-realm'), ['*']);
    require(['local-policies', index, 'to-realm'], textAt(map, 'to-realm'));
  }
  return [...findings, ...agentInterfaces(root, realms)];
}

/** An agent can be reached only through an interface of its realm that speaks its transport. */
function agentInterfaces(root: RawMap, realms: readonly string[]): Finding[] {
  const interfaces = entriesOf(root, 'sip-interfaces');
  // One without a realm, or with a mistyped one, may be the very interface.
  if (interfaces.some(({ map }) => !realms.includes(textAt(map, 'realm') ?? ''))) return [];
  return entriesOf(root, 'session-agents').flatMap(({ index, map }): Finding[] => {
    const realm = textAt(map, 'realm');
    const transport = textAt(map, 'transport') ?? 'udp';
    if (realm === undefined || !realms.includes(realm)) return [];
    const ports = interfaces
      .filter((entry) => textAt(entry.map, 'realm') === realm)
      .flatMap((entry) => textsAt(entry.map, 'sip-ports'));
    if (ports.some(({ text }) => text.startsWith(`${transport}/`))) return [];
    const message = `no sip-interface of realm "${realm}" has a ${transport} port to reach this agent`;
    return [{ path: ['session-agents', index], at: 'key', message }];
  });
}

function memberReferences(root: RawMap): Finding[] {
  const agents = namesOf(root, 'session-agents');
  const findings: Finding[] = [];
  for (const { index, map } of entriesOf(root, 'session-groups')) {
    const members = textsAt(map, 'members');
    const seen = new Set<string>();
    for (const { index: position, text } of members) {
      const path = ['session-groups', index, 'members', position];
      if (!agents.includes(text)) {
        const message = `session agent "${text}" does not exist`;
        findings.push(unknownName(path, message, text, agents));
      } else if (seen.has(text)) {
        findings.push({ path, at: 'value', message: `"${text}" is already a member` });
      }
      seen.add(text);
    }
    for (const name of Object.keys(mapAt(map, 'weights') ?? {})) {
      if (seen.has(name)) continue;
      const path = ['session-groups', index, 'weights', name];
      findings.push(unknownName(path, `"${name}" is no member of the group`, name, [...seen]));
    }
  }
  return findings;
}

/** Keys that another key makes necessary or impossible. */
function engineRequirements(root: RawMap): Finding[] {
  const findings: Finding[] = [];
  const sip = mapAt(root, 'sip');
  const interfaces = entriesOf(root, 'sip-interfaces');
  if (textAt(sip, 'engine') === 'drachtio' && mapAt(sip, 'drachtio') === undefined) {
    for (const { index } of interfaces.filter(({ map }) => mapAt(map, 'drachtio') === undefined)) {
      const message = 'engine drachtio needs sip.drachtio, or drachtio on every interface';
      findings.push({ path: ['sip-interfaces', index], at: 'key', message });
    }
  }
  for (const { index, map } of interfaces) {
    const tls = textsAt(map, 'sip-ports').find(({ text }) => text.startsWith('tls/'));
    if (tls === undefined || mapAt(map, 'tls') !== undefined) continue;
    const path = ['sip-interfaces', index, 'sip-ports', tls.index];
    const message = 'a tls port needs "tls" with certificate and key on this interface';
    findings.push({ path, at: 'value', message });
  }
  const media = mapAt(root, 'media');
  const nodes = media?.['rtpengine'] ?? [];
  if (textAt(media, 'engine') === 'rtpengine' && isList(nodes) && nodes.length === 0) {
    const message = 'engine rtpengine needs at least one node under media.rtpengine';
    findings.push({ path: ['media', 'engine'], at: 'value', message });
  }
  return findings;
}
