import type { Replaces } from '../../wire/replaces.ts';
import { SIDES } from '../../wire/side.ts';
import { LegAliases } from './leg-aliases.ts';
import { startTransfer, type TransferOptions } from './transfer.ts';
import type { LendingCall, NamedLeg, TransferHost, TransferRequest } from './transfer-host.ts';

/** All calls of the SBC as transfers see them. */
export class TransferDesk implements TransferHost {
  readonly #options: Omit<TransferOptions, 'request'> & {
    readonly calls: () => Iterable<LendingCall>;
  };

  readonly #aliases = new LegAliases();

  constructor(
    options: Omit<TransferOptions, 'request'> & { readonly calls: () => Iterable<LendingCall> },
  ) {
    this.#options = options;
  }

  find({ callId, localTag, remoteTag }: Replaces): NamedLeg | undefined {
    for (const call of this.#options.calls()) {
      for (const side of SIDES) {
        const dialog = call.session?.legs[side].dialog?.identity;
        if (dialog?.callId !== callId) continue;
        if (dialog.localTag === localTag && dialog.remoteTag === remoteTag) return { call, side };
      }
    }
    return undefined;
  }

  nameOf(leg: NamedLeg): Replaces {
    return this.#aliases.nameOf(leg);
  }

  /** The leg that an INVITE names: by its dialog, or by a name that the sender was given. */
  findReplaced(replaces: Replaces): NamedLeg | undefined {
    return this.find(replaces) ?? this.#aliases.find(replaces);
  }

  start(request: TransferRequest): void {
    const { place, onBug } = this.#options;
    startTransfer({ request, place, onBug });
  }
}
