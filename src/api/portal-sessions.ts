/** Who is signed in to the portal. Kept in memory: a restart of the SBC signs everybody out. */
import { createHash, randomBytes } from 'node:crypto';
import type { PortalUser } from './portal-accounts.ts';

export type SessionHolder =
  | { readonly type: 'user'; readonly user: PortalUser }
  | { readonly type: 'administrator' };

export interface Session {
  /** Names the session in this process; not the secret of the cookie. */
  readonly key: string;
  readonly holder: SessionHolder;
}

interface Entry extends Session {
  readonly startedMs: number;
  seenMs: number;
}

/** A session ends after this much time whatever happens. */
export const SESSION_MS = 12 * 3_600_000;
/** And after this much without a request or an open event stream. */
export const SESSION_IDLE_MS = 3_600_000;

export interface SessionLimits {
  readonly sessions: number;
  readonly perHolder: number;
}

const LIMITS: SessionLimits = { sessions: 10_000, perHolder: 32 };

export class PortalSessions {
  readonly #nowMs: () => number;
  readonly #limits: SessionLimits;
  /** Oldest first. */
  readonly #entries = new Map<string, Entry>();

  constructor(nowMs: () => number, limits = LIMITS) {
    this.#nowMs = nowMs;
    this.#limits = limits;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Begins a session and gives its secret; makes room by ending the oldest ones. */
  open(holder: SessionHolder): string {
    const secret = randomBytes(32).toString('base64url');
    const nowMs = this.#nowMs();
    this.#makeRoom(holder);
    const key = keyOf(secret);
    this.#entries.set(key, { key, holder, startedMs: nowMs, seenMs: nowMs });
    return secret;
  }

  /** The session with this secret, which lasts on from now. */
  find(secret: string): Session | undefined {
    return this.touch(keyOf(secret));
  }

  /** The session as long as it lasts. */
  touch(key: string): Session | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    const nowMs = this.#nowMs();
    if (isOver(entry, nowMs)) {
      this.#entries.delete(key);
      return undefined;
    }
    entry.seenMs = nowMs;
    return entry;
  }

  end(key: string): void {
    this.#entries.delete(key);
  }

  #makeRoom(holder: SessionHolder): void {
    const { sessions: most, perHolder } = this.#limits;
    const nowMs = this.#nowMs();
    const name = nameOf(holder);
    const own: string[] = [];
    for (const entry of this.#entries.values()) {
      if (isOver(entry, nowMs)) this.#entries.delete(entry.key);
      else if (nameOf(entry.holder) === name) own.push(entry.key);
    }
    for (const key of own.slice(0, Math.max(0, own.length - perHolder + 1))) this.end(key);
    for (const key of this.#entries.keys()) {
      if (this.#entries.size < most) break;
      this.end(key);
    }
  }
}

function isOver(entry: Entry, nowMs: number): boolean {
  return nowMs - entry.startedMs >= SESSION_MS || nowMs - entry.seenMs >= SESSION_IDLE_MS;
}

function nameOf(holder: SessionHolder): string {
  return holder.type === 'user' ? `user ${holder.user.name}` : holder.type;
}

/** A copy of the memory shows no secret, and looking one up takes the same time for every guess. */
function keyOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}
