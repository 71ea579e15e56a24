import type { Log } from '../observe/log.ts';
import type { Side } from '../wire/side.ts';
import { WireError } from '../wire/wire-error.ts';

/** The part of a call's log that is written to here. */
export type CallLog = Pick<Log, 'info'>;

/** Tells the log of a call what of the descriptions of its peers is not taken. */
export class SdpReceipts {
  readonly #log: CallLog;
  /** What has been said of sections: each refresh of a session repeats them. */
  #said: Set<string> | undefined;

  constructor(log: CallLog) {
    this.#log = log;
  }

  /** Runs `receive` for a description of `side`. @throws what it throws */
  logged<T extends { readonly switchedOff: readonly string[] }>(side: Side, receive: () => T): T {
    try {
      const facts = receive();
      for (const reason of facts.switchedOff) this.#tellOnce(side, reason);
      return facts;
    } catch (error) {
      if (error instanceof WireError) {
        this.#log.info({ side, reason: error.message }, 'session description refused');
      }
      throw error;
    }
  }

  #tellOnce(side: Side, reason: string): void {
    const said = `${side} ${reason}`;
    this.#said ??= new Set();
    if (this.#said.has(said)) return;
    this.#said.add(said);
    this.#log.info({ side, reason }, 'media section switched off');
  }
}
