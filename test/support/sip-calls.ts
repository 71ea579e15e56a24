/** The two ends of setting up a call: what the one who calls holds, and what the one who is called holds. */

import { buildResponse } from './sip-dialog.ts';
import type { DialogPort, Reply, SipDialog } from './sip-dialog.ts';
import { cancelOf, statusOf } from './sip-text.ts';
import type { Header, SipText } from './sip-text.ts';
import type { SipRemote } from './sip-transport.ts';
import { PATIENCE_MS, waitFor, within } from './wait-for.ts';

export interface AnswerOptions {
  readonly headers?: readonly Header[];
  readonly body?: string;
}

/** A call this peer has placed. */
export class OutgoingCall {
  readonly invite: SipText;
  readonly dialog: SipDialog;
  /** Provisional answers, in order. */
  readonly provisionals: SipText[] = [];
  /** The final answer, once there is one. */
  final: SipText | undefined;

  readonly #port: DialogPort;
  readonly #to: SipRemote;
  readonly #finished: Promise<SipText>;

  constructor(
    port: DialogPort,
    dialog: SipDialog,
    invite: {
      message: SipText;
      to: SipRemote;
      ackBody?: (response: SipText) => string | undefined;
    },
  ) {
    this.#port = port;
    this.dialog = dialog;
    this.invite = invite.message;
    this.#to = invite.to;
    this.#finished = this.#run(invite.ackBody);
    // Whoever waits for the answer sees a failure; a call nobody waits for may fail unseen.
    this.#finished.catch(() => {});
  }

  /** The final answer, whatever it is. */
  finished(timeoutMs = PATIENCE_MS): Promise<SipText> {
    return within(`final answer\n${this.#port.describeLog()}`, this.#finished, timeoutMs);
  }

  /** The dialog once a 2xx came and was acknowledged; rejects when the call was refused. */
  async answered(timeoutMs = PATIENCE_MS): Promise<SipDialog> {
    const final = await waitFor('final answer to INVITE', () => this.final, {
      timeoutMs,
      details: () => this.#port.describeLog(),
    });
    if ((statusOf(final) ?? 0) >= 300) throw new Error(`call refused: ${final.startLine}`);
    return this.dialog;
  }

  /** The first provisional answer with `status`. */
  provisional(status: number, timeoutMs = PATIENCE_MS): Promise<SipText> {
    return waitFor(
      `${status} to INVITE`,
      () => this.provisionals.find((response) => statusOf(response) === status),
      { timeoutMs, details: () => this.#port.describeLog() },
    );
  }

  /** Sends CANCEL and gives its answer; the INVITE's own answer comes through `finished`. */
  cancel(): Promise<SipText> {
    return this.#port.request(cancelOf(this.invite), this.#to);
  }

  async #run(ackBody: ((response: SipText) => string | undefined) | undefined): Promise<SipText> {
    const final = await this.#port.request(this.invite, this.#to, (response) => {
      this.provisionals.push(response);
      if ((statusOf(response) ?? 0) > 100) this.dialog.learnFromResponse(response);
    });
    if ((statusOf(final) ?? 0) < 300) {
      this.dialog.learnFromResponse(final);
      this.dialog.acknowledge(final, ackBody?.(final));
    } else {
      this.dialog.isEnded = true;
    }
    this.final = final;
    return final;
  }
}

/** A call this peer has received. */
export class IncomingCall {
  readonly invite: SipText;
  readonly dialog: SipDialog;
  /** The CANCEL, when one came before the answer. */
  cancelled: SipText | undefined;

  readonly #port: DialogPort;
  #isAnswered = false;

  constructor(port: DialogPort, dialog: SipDialog, invite: SipText) {
    this.#port = port;
    this.dialog = dialog;
    this.invite = invite;
  }

  /** Sends a provisional answer. */
  ring(reply: Partial<Reply> = {}): void {
    this.#send({ status: 180, ...reply });
  }

  /** Sends 200 and gives the dialog when its ACK came. */
  async answer(options: AnswerOptions = {}): Promise<SipDialog> {
    this.pickUp(options);
    await this.dialog.waitForAck();
    return this.dialog;
  }

  /** Sends 200 and waits for nothing. */
  pickUp(options: AnswerOptions = {}): void {
    this.#isAnswered = true;
    this.#send({ status: 200, ...options });
  }

  /** Refuses the call. */
  reject(status: number, options: Omit<Reply, 'status'> = {}): void {
    this.#isAnswered = true;
    this.dialog.isEnded = true;
    this.#send({ status, ...options });
  }

  /** Takes the CANCEL that came for this call. */
  receiveCancel(cancel: SipText): void {
    this.cancelled = cancel;
    this.#port.respond(
      cancel,
      buildResponse(cancel, { status: 200 }, this.#port, this.dialog.localTag),
    );
    if (!this.#isAnswered) this.reject(487);
  }

  /** Resolves when the call was cancelled. */
  waitForCancel(timeoutMs = PATIENCE_MS): Promise<SipText> {
    return waitFor('CANCEL', () => this.cancelled, {
      timeoutMs,
      details: () => this.#port.describeLog(),
    });
  }

  #send(reply: Reply): void {
    this.#port.respond(
      this.invite,
      buildResponse(this.invite, reply, this.#port, this.dialog.localTag),
    );
  }
}
