import type { KpmlAdvertised } from '../../dtmf/interworking-legs.ts';
import type { AllowEventsEdit } from '../../wire/allow-events.ts';
import { otherSide, type Side } from '../../wire/side.ts';

/** Who has announced kpml in Allow-Events, and to whom it was announced. */
export class KpmlAnnouncements {
  readonly #announced: Record<Side, boolean> = { caller: false, callee: false };
  readonly #advertised: Record<Side, KpmlAdvertised> = { caller: 'no', callee: 'no' };

  /** By side: whether it has done so in any message of an agreed exchange. */
  get announced(): Readonly<Record<Side, boolean>> {
    return this.#announced;
  }

  isAnnounced(side: Side): boolean {
    return this.#announced[side];
  }

  /** How it was announced to a side so far. */
  advertised(side: Side): KpmlAdvertised {
    return this.#advertised[side];
  }

  /** A message of `from` in an exchange that was agreed. */
  agree(from: Side, hasKpml: boolean): void {
    this.#announced[from] ||= hasKpml;
  }

  /** A message of `from` goes to the other side with its Allow-Events edited. */
  advertise(from: Side, hasKpml: boolean, edit: AllowEventsEdit): void {
    const to = otherSide(from);
    if (edit === 'add-kpml') this.#advertised[to] = 'by-us';
    if (edit === 'keep' && hasKpml) this.#advertised[to] = 'passed';
  }
}
