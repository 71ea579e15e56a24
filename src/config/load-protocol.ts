/**
 * What main thread and loading thread say to each other. A large configuration crosses in slices, one for each word, so that
 * no turn of the main thread's event loop has to read more than that.
 *
 *   main          loading thread
 *     | load          |
 *     |-------------->|
 *     |       invalid | or head, with the long lists emptied
 *     |<--------------|
 *     | next          |
 *     |-------------->|
 *     |  slice or end |
 *     |<--------------|
 */
import type { Config } from './config.ts';
import type { ConfigProblem } from './problem.ts';

/** `file` as given on the command line; `text` in its place. */
export type LoadCommand =
  | {
      readonly type: 'load';
      readonly file: string | undefined;
      readonly text: string | undefined;
    }
  | { readonly type: 'next' };

export type LoadReply =
  | {
      readonly type: 'invalid';
      readonly file: string;
      readonly problems: readonly ConfigProblem[];
    }
  | {
      readonly type: 'head';
      readonly config: Config;
      readonly file: string;
      readonly text: string;
      /** Lines of the paths that a reload may find fault with, by the path as JSON. */
      readonly lines: readonly (readonly [path: string, line: number])[];
    }
  | { readonly type: 'slice'; readonly list: LongList; readonly items: readonly unknown[] }
  | { readonly type: 'end' };

/** The lists of a configuration that can be long. */
export const LONG_LISTS = ['localPolicies', 'sessionAgents', 'sessionGroups'] as const;
export type LongList = (typeof LONG_LISTS)[number];

const SLICE_ITEMS = 250;

/** The configuration without its long lists, and these in slices. */
export function slicesOf(config: Config): {
  readonly head: Config;
  readonly slices: readonly Extract<LoadReply, { readonly type: 'slice' }>[];
} {
  const head = { ...config, localPolicies: [], sessionAgents: [], sessionGroups: [] };
  const slices = LONG_LISTS.flatMap((list) => {
    const items: readonly unknown[] = config[list];
    const starts = Array.from({ length: Math.ceil(items.length / SLICE_ITEMS) }, (_, n) => n);
    return starts.map((n) => ({
      type: 'slice' as const,
      list,
      items: items.slice(n * SLICE_ITEMS, (n + 1) * SLICE_ITEMS),
    }));
  });
  return { head, slices };
}
