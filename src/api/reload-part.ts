import type { Config } from '../config/config.ts';
import { formatPath } from '../config/problem.ts';
import type { ProblemView } from './backend.ts';

/** A valid configuration on its way in. */
export interface ValidConfig {
  readonly type: 'config';
  readonly config: Config;
  /** 1-based line of a path of the file. */
  readonly lineOf: (path: readonly (string | number)[]) => number | undefined;
}

/** What came out of reading the file. */
export type ReadConfig =
  | ValidConfig
  | { readonly type: 'invalid'; readonly problems: readonly ProblemView[] };

/** What a part of the SBC has made ready for a new configuration; nothing of it is in force yet. */
export interface PreparedPart {
  readonly type: 'prepared';
  /** Something changes that the text of the file does not show. */
  readonly isChanged: boolean;
  /** Takes effect in this turn. `isCommitted` false: it cannot any more, everything is as before. */
  commit(): { readonly isCommitted: boolean; readonly settled: Promise<void> };
  rollback(): Promise<void>;
}

/** Makes ready what `loaded` needs and what runs does not have; on a problem nothing of it is left. */
export type PreparePart = (
  current: Config,
  loaded: ValidConfig,
) => Promise<PreparedPart | readonly ProblemView[]>;

/** What can be taken over at any time. */
export const NOTHING_TO_PREPARE: PreparedPart = {
  type: 'prepared',
  isChanged: false,
  commit: () => ({ isCommitted: true, settled: Promise.resolve() }),
  rollback: () => Promise.resolve(),
};

/** A problem with `path` of the file, at its line. */
export function problemAt(
  loaded: ValidConfig,
  path: readonly (string | number)[],
  message: string,
): ProblemView {
  return { line: loaded.lineOf(path) ?? 1, column: 1, path: formatPath(path), message };
}
