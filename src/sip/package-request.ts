import type { PeerSource, ReceivedRequest, SipConnection } from './sip-connection.ts';
import { NotifierDialog } from './notifier-dialog.ts';
import type { SubscriptionTable } from './subscription-table.ts';

/** A SUBSCRIBE or PUBLISH that belongs to no dialog of ours, for whoever serves an event package. */
export class PackageRequest {
  /** The sip-interface it arrived on. */
  readonly interfaceName: string;
  readonly received: ReceivedRequest;
  /** False for a source that may not use the interface for calls. */
  readonly isAdmitted: boolean;
  readonly #home: { readonly connection: SipConnection; readonly table: SubscriptionTable };

  constructor(
    arrival: {
      readonly interfaceName: string;
      readonly received: ReceivedRequest;
      readonly isAdmitted: boolean;
    },
    home: { readonly connection: SipConnection; readonly table: SubscriptionTable },
  ) {
    this.interfaceName = arrival.interfaceName;
    this.received = arrival.received;
    this.isAdmitted = arrival.isAdmitted;
    this.#home = home;
  }

  /** The SIP engine is our own; see wire/engine-headers.ts. */
  get embedded(): boolean {
    return this.#home.connection.isEmbedded === true;
  }

  get source(): PeerSource {
    return this.received.source;
  }

  /** The dialog that a 2xx to it opens. */
  openDialog(): NotifierDialog {
    return new NotifierDialog(this.received, this.#home);
  }
}
