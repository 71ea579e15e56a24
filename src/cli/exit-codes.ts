/** What the exit status of every command means. */
export const EXIT_CODES = {
  good: 0,
  /** Findings, or the command could not do what it was asked. */
  findings: 1,
  /** Unknown command or option, missing argument. */
  usage: 2,
  /** The running SBC or its API does not answer. */
  notConnected: 3,
} as const;

export type ExitCode = (typeof EXIT_CODES)[keyof typeof EXIT_CODES];
