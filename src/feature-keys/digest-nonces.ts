/**
 * Nonces that need no memory before somebody has used one rightly (RFC 7616 §3.3).
 *
 *   nonce = time of issue (12 hex) | random (16 hex) | HMAC over both (24 hex)
 *
 * Strangers can ask for any number of them: only uses that proved the password are counted, in a bounded table.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/** What the use of a nonce amounts to. */
export type NonceUse = 'fresh' | 'stale' | 'foreign';

const TIME_DIGITS = 12;
const RANDOM_BYTES = 8;
const MAC_DIGITS = 24;
const NONCE_FORM = /^[0-9a-f]{52}$/;
const DEFAULT_CAPACITY = 50_000;

export interface NonceOptions {
  readonly lifeMs: number;
  readonly capacity?: number;
}

export class DigestNonces {
  readonly #key = randomBytes(32);
  readonly #capacity: number;
  /** Highest nc by nonce, oldest use of a nonce first. */
  readonly #counts = new Map<string, number>();
  /** Nonces issued up to then may have been used and forgotten. */
  #forgottenUpToMs = Number.NEGATIVE_INFINITY;
  #lifeMs: number;

  constructor(options: NonceOptions) {
    this.#lifeMs = options.lifeMs;
    this.#capacity = options.capacity ?? DEFAULT_CAPACITY;
  }

  get counted(): number {
    return this.#counts.size;
  }

  setLife(lifeMs: number): void {
    this.#lifeMs = lifeMs;
  }

  issue(nowMs: number): string {
    const time = Math.floor(nowMs).toString(16).padStart(TIME_DIGITS, '0');
    const subject = time + randomBytes(RANDOM_BYTES).toString('hex');
    return subject + this.#macOf(subject);
  }

  /** Whether a nonce is one of ours and still young enough; counts nothing. */
  judge(nonce: string, nowMs: number): NonceUse {
    const issuedAtMs = this.#issuedAtMs(nonce);
    if (issuedAtMs === undefined) return 'foreign';
    const ageMs = nowMs - issuedAtMs;
    // A clock that was set back makes nonces from the future.
    return ageMs > this.#lifeMs || ageMs < -this.#lifeMs ? 'stale' : 'fresh';
  }

  /** Takes a use with a right password; false when the count has not grown (RFC 7616 §3.4.3). */
  count(nonce: string, nonceCount: number, nowMs: number): boolean {
    const last = this.#counts.get(nonce);
    if (last === undefined && (this.#issuedAtMs(nonce) ?? 0) <= this.#forgottenUpToMs) return false;
    if (nonceCount <= (last ?? 0)) return false;
    if (last === undefined) this.#makeRoom(nowMs);
    this.#counts.set(nonce, nonceCount);
    return true;
  }

  #makeRoom(nowMs: number): void {
    for (const nonce of this.#counts.keys()) {
      const issuedAtMs = this.#issuedAtMs(nonce) ?? 0;
      const isOver = nowMs - issuedAtMs > this.#lifeMs;
      if (!isOver && this.#counts.size < this.#capacity) return;
      this.#counts.delete(nonce);
      if (!isOver) this.#forgottenUpToMs = Math.max(this.#forgottenUpToMs, issuedAtMs);
    }
  }

  #issuedAtMs(nonce: string): number | undefined {
    if (!NONCE_FORM.test(nonce)) return undefined;
    const subject = nonce.slice(0, -MAC_DIGITS);
    const given = Buffer.from(nonce.slice(-MAC_DIGITS));
    if (!timingSafeEqual(given, Buffer.from(this.#macOf(subject)))) return undefined;
    return Number.parseInt(subject.slice(0, TIME_DIGITS), 16);
  }

  #macOf(subject: string): string {
    return createHmac('sha256', this.#key).update(subject).digest('hex').slice(0, MAC_DIGITS);
  }
}
