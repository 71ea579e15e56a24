import type { EndCause } from '../end-cause.ts';
import type { LendingCall, TransferHost } from '../transfer/transfer-host.ts';

/** What the requests of a call ask of their call. */
export interface MidCallHost {
  /** Runs `action`; a broken invariant in it ends the call instead of escaping. */
  guarded(action: () => void | Promise<void>): void;
  end(cause: EndCause): void;
  /** The caller has confirmed a reliable 1xx. */
  pracked(): void;
  /** For a REFER: the call itself, and who knows the other ones. */
  readonly transfers: { readonly call: LendingCall; readonly host: TransferHost };
}
