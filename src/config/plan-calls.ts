/** Which running calls have to do with what a new configuration removes or changes. */
import type { ElementChange } from './plan-elements.ts';

/** Where the legs of one call run. */
export type CallPlaces = readonly {
  readonly sipInterface: string;
  readonly agent: string | undefined;
}[];

export interface AffectedCalls {
  readonly section: 'sip-interfaces' | 'session-agents';
  readonly name: string;
  readonly type: 'removed' | 'changed';
  /** Calls with at least one leg there, more than none. */
  readonly calls: number;
}

export function affectedCalls(
  elements: readonly ElementChange[],
  calls: readonly CallPlaces[],
): AffectedCalls[] {
  const counts = {
    'sip-interfaces': new Map<string, number>(),
    'session-agents': new Map<string, number>(),
  };
  for (const legs of calls) {
    countOnce(
      counts['sip-interfaces'],
      legs.map(({ sipInterface }) => sipInterface),
    );
    countOnce(
      counts['session-agents'],
      legs.flatMap(({ agent }) => agent ?? []),
    );
  }
  return elements.flatMap(({ section, name, type }): AffectedCalls[] => {
    if (section !== 'sip-interfaces' && section !== 'session-agents') return [];
    const number = counts[section].get(name) ?? 0;
    return type === 'added' || number === 0 ? [] : [{ section, name, type, calls: number }];
  });
}

function countOnce(counts: Map<string, number>, names: readonly string[]): void {
  for (const name of new Set(names)) counts.set(name, (counts.get(name) ?? 0) + 1);
}
