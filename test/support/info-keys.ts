/** Keys by SIP INFO at one end of a dialog: sends them, and keeps those that come. */

import type { Reply, SipDialog } from './sip-dialog.ts';
import { headerValue, methodOf, statusOf } from './sip-text.ts';
import type { SipText } from './sip-text.ts';
import { PATIENCE_MS, waitFor } from './wait-for.ts';

export const RELAY_TYPE = 'application/dtmf-relay';
export const BARE_TYPE = 'application/dtmf';

export class InfoKeys {
  readonly #dialog: SipDialog;
  readonly #replies: Reply[] = [];
  #unanswered = 0;
  /** The most requests that waited for an answer at once. */
  mostAtOnce = 0;

  constructor(dialog: SipDialog) {
    this.#dialog = dialog;
    dialog.handle('INFO', async () => {
      this.#unanswered += 1;
      this.mostAtOnce = Math.max(this.mostAtOnce, this.#unanswered);
      // A request sent at the same time would arrive before the answer leaves.
      await new Promise((resolve) => setTimeout(resolve, 5));
      this.#unanswered -= 1;
      return this.#replies.shift() ?? { status: 200 };
    });
  }

  /** Answers the next INFO so, then the one after it, and all further ones with 200. */
  answerWith(...replies: Reply[]): void {
    this.#replies.push(...replies);
  }

  /** Sends one INFO per key, each after the answer to the one before; gives the statuses. */
  async press(digits: string, durationMs = 160): Promise<number[]> {
    const statuses: number[] = [];
    for (const digit of digits) {
      statuses.push(await this.send(`Signal=${digit}\r\nDuration=${durationMs}\r\n`, RELAY_TYPE));
    }
    return statuses;
  }

  /** Sends a body as it is; gives the status of the answer. */
  async send(body: string, contentType: string): Promise<number> {
    return statusOf(await this.#dialog.request('INFO', { body, contentType })) ?? 0;
  }

  /** Every INFO that came. */
  get received(): SipText[] {
    return this.#dialog.received.filter((request) => methodOf(request) === 'INFO');
  }

  /** The keys that came, in order. */
  get digits(): string {
    return this.received.map((request) => keyIn(request)).join('');
  }

  /** The stated durations, in order. */
  get durations(): number[] {
    return this.received.map(({ body }) => Number(/^Duration=(\d+)\r\n/m.exec(body)?.[1]));
  }

  async waitForDigits(count: number, timeoutMs = PATIENCE_MS): Promise<string> {
    await waitFor(`${count} keys by INFO`, () => this.digits.length >= count, {
      timeoutMs,
      details: () => `received: ${this.digits}`,
    });
    return this.digits;
  }
}

function keyIn(request: SipText): string {
  const type = headerValue(request, 'Content-Type');
  if (type === BARE_TYPE) return request.body;
  return type === RELAY_TYPE ? (/^Signal=(.)\r\n/.exec(request.body)?.[1] ?? '?') : '';
}
