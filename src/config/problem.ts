/** What is wrong with a configuration file, and where. */

/** Keys and list indexes from the top of the file to the place meant. */
export type Path = readonly (string | number)[];

export interface ConfigProblem {
  /** 1-based. */
  readonly line: number;
  /** 1-based. */
  readonly column: number;
  /** `session-agents[0].rfc2833-mode`; empty for the file as a whole. */
  readonly path: string;
  readonly message: string;
  readonly suggestion?: string;
}

/** A problem whose place in the text is still to be looked up. */
export interface Finding {
  readonly path: Path;
  /** Which part is meant: the key itself or what stands behind it. */
  readonly at: 'key' | 'value';
  readonly message: string;
  readonly suggestion?: string | undefined;
}

/** Writes a path the way operators read it: `realms[1].media.port-min`. */
export function formatPath(path: Path): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else text += text === '' ? step : `.${step}`;
  }
  return text;
}

/** One line for a terminal: place, path, message and hint. */
export function formatProblem(file: string, problem: ConfigProblem): string {
  const path = problem.path === '' ? '' : `${problem.path}: `;
  const hint = problem.suggestion === undefined ? '' : ` (${problem.suggestion})`;
  return `${file}:${problem.line}:${problem.column}: ${path}${problem.message}${hint}`;
}
