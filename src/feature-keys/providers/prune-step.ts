/** Rows of the history that one step of pruning looks at: short enough that no set waits for it. */
export const PRUNE_ROWS = 500;
