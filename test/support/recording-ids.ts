/**
 * Names that differ between a recording and its replay: ids, tags, branches, sequence numbers and ports.
 * Learned from the engine's messages, written into the inputs that follow.
 */
export class RecordingIds {
  readonly #ids = new Map<string, string>();
  readonly #ports = new Map<number, number>();
  /** Replayed minus recorded CSeq, per Call-ID and From tag of the recording. */
  readonly #cseqOffsets = new Map<string, number>();
  readonly #rseqs = new Map<number, number>();

  /** What stands for `recorded`, if that is known. */
  known(recorded: string): string | undefined {
    return this.#ids.get(recorded);
  }

  setPort(recorded: number, replayed: number): void {
    this.#ports.set(recorded, replayed);
  }

  port(recorded: string): string {
    return String(this.#ports.get(Number(recorded)) ?? recorded);
  }

  /** Learns what stands for `recorded`; false when it was something else before. */
  learn(recorded: string, replayed: string): boolean {
    const known = this.#ids.get(recorded);
    if (known === undefined) this.#ids.set(recorded, replayed);
    return known === undefined || known === replayed;
  }

  learnCSeq(dialog: string, recorded: number, replayed: number): boolean {
    const known = this.#cseqOffsets.get(dialog);
    if (known === undefined) this.#cseqOffsets.set(dialog, replayed - recorded);
    return known === undefined || known === replayed - recorded;
  }

  learnRSeq(recorded: number, replayed: number): boolean {
    const known = this.#rseqs.get(recorded);
    if (known === undefined) this.#rseqs.set(recorded, replayed);
    return known === undefined || known === replayed;
  }

  cseq(dialog: string, recorded: number): number {
    return recorded + (this.#cseqOffsets.get(dialog) ?? 0);
  }

  rseq(recorded: number): number {
    return this.#rseqs.get(recorded) ?? recorded;
  }

  /** `text` of the recording with the ids and ports of the replay. */
  translate(text: string): string {
    let result = text.replaceAll(
      /127\.0\.0\.1:(\d+)/g,
      (_match, port: string) => `127.0.0.1:${this.port(port)}`,
    );
    result = result.replaceAll(
      /rport=(\d+)/g,
      (_match, port: string) => `rport=${this.port(port)}`,
    );
    for (const [recorded, replayed] of this.#ids) {
      if (recorded !== replayed) result = result.replaceAll(recorded, replayed);
    }
    return result;
  }

  /** A SIP message of the recording, to be sent by a peer or the application of dialog `dialog`. */
  translateMessage(text: string, dialog: string): string {
    const key = dialog === '' ? dialogKeyOf(text) : dialog;
    const numbered = text
      .replace(/^(cseq: *)(\d+)/im, (_match, name: string, number: string) => {
        return `${name}${this.cseq(key, Number(number))}`;
      })
      .replace(/^(rseq: *)(\d+)/im, (_match, name: string, number: string) => {
        return `${name}${this.rseq(Number(number))}`;
      })
      .replace(/^(rack: *)(\d+) (\d+)/im, (_match, name: string, rseq: string, cseq: string) => {
        return `${name}${this.rseq(Number(rseq))} ${this.cseq(key, Number(cseq))}`;
      });
    return this.translate(numbered);
  }
}

/** Call-ID and From tag as in dialog ids. */
export function dialogKeyOf(text: string): string {
  const callId = /^(?:call-id|i): *(.*?)\r?$/im.exec(text)?.[1] ?? '';
  const tag = /^(?:from|f):.*?;tag=([^;\r\n]+)/im.exec(text)?.[1] ?? '';
  return `${callId};from-tag=${tag}`;
}
