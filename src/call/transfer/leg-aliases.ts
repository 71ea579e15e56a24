import { randomBytes } from 'node:crypto';
import type { Replaces } from '../../wire/replaces.ts';
import type { NamedLeg } from './transfer-host.ts';

/** More referrals than run at a time; the oldest name is forgotten first. */
const MAX_NAMES = 1000;

/**
 * Names under which a party may ask for the place of a leg in a dialog that is not its own, and whose true names it must
 * not see. They hold as long as the call of the leg.
 */
export class LegAliases {
  readonly #legs = new Map<string, NamedLeg>();

  get size(): number {
    return this.#legs.size;
  }

  /** A new name, as the SBC is to read it. */
  nameOf(leg: NamedLeg): Replaces {
    const [callId, localTag, remoteTag] = [word(), word(), word()];
    for (const [key, { call }] of this.#legs) if (!call.isTalking) this.#legs.delete(key);
    if (this.#legs.size >= MAX_NAMES) {
      for (const oldest of this.#legs.keys()) {
        this.#legs.delete(oldest);
        break;
      }
    }
    const name = { callId, localTag, remoteTag, isEarlyOnly: false };
    this.#legs.set(keyOf(name), leg);
    return name;
  }

  find(name: Replaces): NamedLeg | undefined {
    return this.#legs.get(keyOf(name));
  }
}

function word(): string {
  return randomBytes(12).toString('hex');
}

function keyOf({ callId, localTag, remoteTag }: Replaces): string {
  return `${callId}\n${localTag}\n${remoteTag}`;
}
