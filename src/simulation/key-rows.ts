/** Every key of a simulated call: pressed where and how, what the SBC made of it, and how it arrived. */
import type { DigitDirection, DigitRecord } from '../observe/digit-ledger.ts';
import { otherSide, SIDES, type Side } from '../wire/side.ts';
import type { HeardKey, PressedKey } from './endpoint-keys.ts';

export interface KeyRow {
  readonly by: Side;
  /** '' for a key that nobody pressed. */
  readonly digit: string;
  readonly how: string;
  /** From the INVITE of the caller on. */
  readonly atMs: number;
  /** As what it arrived at the other end; absent: it did not. */
  readonly arrivedAs?: string;
  readonly arrivedAtMs?: number;
  /** From the press to the first sign of it at the other end. */
  readonly latencyMs?: number;
  /** Ways out of the SBC, such as `rtp` or `notify 200`. */
  readonly outputs: readonly string[];
  /** Why it was lost, by the end or the SBC. */
  readonly lost?: string;
}

export interface EndKeys {
  readonly pressed: readonly PressedKey[];
  readonly heard: readonly HeardKey[];
}

const DIRECTIONS: Readonly<Record<Side, DigitDirection>> = {
  caller: 'caller-to-callee',
  callee: 'callee-to-caller',
};

/** @param startMs wall clock of the INVITE. */
export function keyRows(
  ends: Readonly<Record<Side, EndKeys>>,
  ledger: readonly DigitRecord[],
  startMs: number,
): KeyRow[] {
  const rows = SIDES.flatMap((by) => {
    const records = new Row(ledger.filter(({ direction }) => direction === DIRECTIONS[by]));
    const heard = new Row(ends[otherSide(by)].heard);
    const pressed = ends[by].pressed.map((press) =>
      rowOf(by, press, { record: records.take(press), heard: heard.take(press), startMs }),
    );
    const strange = heard.left.map(({ digit, how, atMs }): KeyRow => ({
      by,
      digit,
      how: 'nobody pressed it',
      atMs: atMs - startMs,
      arrivedAs: how,
      arrivedAtMs: atMs - startMs,
      outputs: [],
    }));
    return [...pressed, ...strange];
  });
  return rows.toSorted((a, b) => a.atMs - b.atMs);
}

function rowOf(
  by: Side,
  press: PressedKey,
  found: {
    readonly record: DigitRecord | undefined;
    readonly heard: HeardKey | undefined;
    readonly startMs: number;
  },
): KeyRow {
  const { record, heard, startMs } = found;
  const { digit, how, atMs, problem } = press;
  const outputs = (record?.outputs ?? []).map((output) =>
    'status' in output ? `${output.type} ${output.status}` : output.type,
  );
  const lost = heard === undefined ? (problem ?? reasonOf(record)) : undefined;
  return {
    by,
    digit,
    how,
    atMs: atMs - startMs,
    ...(heard === undefined
      ? {}
      : {
          arrivedAs: heard.how,
          arrivedAtMs: heard.atMs - startMs,
          latencyMs: heard.atMs - atMs,
        }),
    outputs,
    ...(lost === undefined ? {} : { lost }),
  };
}

function reasonOf(record: DigitRecord | undefined): string {
  if (record === undefined) return 'the SBC has not seen it';
  return record.dropped ?? 'it left the SBC and was not heard';
}

/** Takes what belongs to a press out of a list in order: the next of the same digit. */
class Row<T extends { readonly digit: string }> {
  readonly #left: T[];

  constructor(all: readonly T[]) {
    this.#left = [...all];
  }

  get left(): readonly T[] {
    return this.#left;
  }

  take({ digit }: { readonly digit: string }): T | undefined {
    const index = this.#left.findIndex((each) => each.digit === digit);
    return index < 0 ? undefined : this.#left.splice(index, 1)[0];
  }
}
