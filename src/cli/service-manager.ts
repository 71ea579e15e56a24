/** What systemd is told of a service of `Type=notify` (sd_notify(3)), by its own program `systemd-notify`. */
import { execFile } from 'node:child_process';

/** Assignments, since options for the last two came with systemd 253 only. */
const WORDS = {
  ready: 'READY=1',
  /** Followed by `ready` when the reload is over, whatever came of it. */
  reloading: 'RELOADING=1',
  stopping: 'STOPPING=1',
} as const;

const TIMEOUT_MS = 5000;

interface WarningLog {
  warn(fields: object, text: string): void;
}

/** Tells the service manager; resolves when it was told, never rejects. */
export type TellManager = (state: keyof typeof WORDS) => Promise<void>;

/** In the order of the calls, one at a time, and without any holding up the SBC; nothing where no manager listens. */
export function serviceManager(
  environment: Readonly<Record<string, string | undefined>>,
  log: WarningLog,
): TellManager {
  // What is not there, or is set to nothing, listens to nothing.
  if ((environment['NOTIFY_SOCKET'] ?? '') === '') return () => Promise.resolve();
  let told = Promise.resolve();
  return (state) => {
    told = told.then(() => send(WORDS[state], environment, log));
    return told;
  };
}

function send(
  word: string,
  environment: Readonly<Record<string, string | undefined>>,
  log: WarningLog,
): Promise<void> {
  return new Promise((resolve) => {
    const options = { env: { ...environment }, timeout: TIMEOUT_MS };
    execFile('systemd-notify', [word], options, (error) => {
      if (error !== null) log.warn({ err: error, state: word }, 'service manager not told');
      resolve();
    });
  });
}
