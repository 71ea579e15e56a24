/** What the `feature-keys` section says about itself: where the features act on calls. */
import type { Finding } from './problem.ts';
import { entriesOf, mapAt, textAt, textsAt } from './raw-access.ts';
import { unknownName } from './references-routing.ts';
import type { RawMap } from './yaml-source.ts';

export function featureReferences(root: RawMap): Finding[] {
  const section = mapAt(root, 'feature-keys');
  if (section === undefined) return [];
  const listed = textsAt(section, 'apply-to-calls');
  const findings: Finding[] = [];
  const isApplied = textAt(section, 'apply-to-calls') === 'true' || listed.length > 0;
  if (isApplied && isPassedEverywhere(root, textAt(section, 'mode') ?? 'serve')) {
    const message =
      'apply-to-calls needs mode serve on a sip-interface: with pass the state is kept elsewhere';
    findings.push({ path: ['feature-keys', 'apply-to-calls'], at: 'key', message });
  }
  const names = domainNames(mapAt(section, 'domains') ?? {});
  for (const { index, text } of listed) {
    const domain = text.slice(text.lastIndexOf('@') + 1).toLowerCase();
    if (names.includes(domain)) continue;
    const message = `"${domain}" is none of feature-keys.domains`;
    findings.push(unknownName(['feature-keys', 'apply-to-calls', index], message, domain, names));
  }
  return findings;
}

function isPassedEverywhere(root: RawMap, mode: string): boolean {
  const modes = entriesOf(root, 'sip-interfaces').map(({ map }) => {
    const own = textAt(map, 'feature-keys-mode') ?? 'inherit';
    return own === 'inherit' ? mode : own;
  });
  return modes.length === 0 ? mode === 'pass' : modes.every((each) => each === 'pass');
}

function domainNames(domains: RawMap): string[] {
  const names = Object.keys(domains).flatMap((domain) => [
    domain,
    ...textsAt(domains, domain).map(({ text }) => text),
  ]);
  return names.map((name) => name.toLowerCase());
}
