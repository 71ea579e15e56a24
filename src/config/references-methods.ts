/** What `methods` say about session agents and groups: names that must exist. */
import { REJECT } from './method-relay.ts';
import type { Finding } from './problem.ts';
import { entriesOf, mapAt, textAt } from './raw-access.ts';
import { namesOf, unknownName } from './references-routing.ts';
import type { RawMap } from './yaml-source.ts';

export function methodReferences(root: RawMap): Finding[] {
  const targets = [...namesOf(root, 'session-agents'), ...namesOf(root, 'session-groups'), REJECT];
  return ['sip-interfaces', 'session-agents'].flatMap((section) =>
    entriesOf(root, section).flatMap(({ index, map }) => {
      const methods = mapAt(map, 'methods') ?? {};
      return Object.keys(methods).flatMap((method): Finding[] => {
        const name = textAt(methods, method);
        if (name === undefined || targets.includes(name)) return [];
        const message = `"${name}" is neither a session agent nor a session group`;
        return [unknownName([section, index, 'methods', method], message, name, targets)];
      });
    }),
  );
}
