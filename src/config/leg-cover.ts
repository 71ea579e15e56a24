/** Which legs a parameter that is written in one place counts for. */
import type { Config } from './config.ts';
import { type LegKind, legKinds } from './leg-kinds.ts';

/** The owner of a parameter itself and, of an interface, its agents that do not own the parameter (`isOwn`). */
export function coveredBy(
  config: Config,
  isOwn: (kind: LegKind) => boolean,
): (owner: LegKind) => readonly LegKind[] {
  const heirs = legKinds(config).filter((kind) => kind.agent !== undefined && !isOwn(kind));
  const byInterface = Map.groupBy(heirs, ({ sipInterface }) => sipInterface);
  return (owner) =>
    owner.agent === undefined ? [owner, ...(byInterface.get(owner.sipInterface) ?? [])] : [owner];
}
