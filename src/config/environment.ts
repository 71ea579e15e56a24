/** The only place that looks at the process environment. */

/** Variables as they are at the time of the call. */
export function readEnvironment(): Readonly<Record<string, string | undefined>> {
  return { ...process.env };
}
