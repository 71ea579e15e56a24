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
 *     | check or plan | what is in use goes before a plan, in slices as well
 *     |-------------->|
 *     |       invalid | or checked or planned, with long lists emptied; these follow as parts, as above
 *     |<--------------|
 */
import type { Config } from './config.ts';
import type { LintFinding } from './lint.ts';
import type { ConfigPlan } from './plan.ts';
import type { ConfigProblem } from './problem.ts';
import type { ThreadPart } from './thread-parts.ts';

/** `file` as given on the command line; `text` in its place. */
export type LoadCommand =
  | {
      readonly type: 'load';
      readonly file: string | undefined;
      readonly text: string | undefined;
    }
  | { readonly type: 'next' }
  | {
      readonly type: 'check';
      readonly file: string | undefined;
      readonly text: string | undefined;
    }
  /** Begins to tell what is in use; without answer, as its slices are. */
  | { readonly type: 'in-use'; readonly config: Config; readonly text: string }
  | { readonly type: 'in-use-slice'; readonly list: LongList; readonly items: readonly unknown[] }
  | {
      readonly type: 'plan';
      readonly file: string | undefined;
      readonly text: string | undefined;
    };

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
  | { readonly type: 'checked'; readonly findings: readonly LintFinding[] }
  | {
      readonly type: 'planned';
      /** Without its long lists. */
      readonly config: Config;
      readonly plan: ConfigPlan;
      readonly lines: readonly (readonly [path: string, line: number])[];
    }
  /** What is in use cannot be read as a file any more, so there is nothing to compare with. */
  | { readonly type: 'unplanned' }
  | { readonly type: 'part'; readonly part: ThreadPart }
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
