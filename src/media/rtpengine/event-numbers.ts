/**
 * Which telephone-event numbers rtpengine is told of each leg, so that it translates between them.
 *
 * It wants the numbers of an answer among those of the offer, sends an event on by the first number it was told of the
 * other side, and translates when the two differ:
 *
 *   caller wants 101, callee 96     told offer 101 96, answer 96     101 -> 96, 96 -> 101
 *   only the caller has 101         callee offers 127 101, answer 101    played and reported, blocked (see `blockedSides`)
 *
 * In the last case the side without events offers a number that nobody uses before those of the other one. Told the same
 * numbers of both, rtpengine would have a coder for events of that side, and once that side has sent some it may play
 * digits with it: they would never leave.
 */

import type { EventMedia, StreamUpdate } from '../media-engine.ts';
import { otherSide, type Side, SIDES } from '../../wire/side.ts';

export interface EventNumbers {
  readonly clockRate: number;
  /** The side whose SDP is the offer. */
  readonly offerer: Side;
  /** In this order. */
  readonly offer: readonly number[];
  readonly answer: readonly number[];
}

/** @returns `undefined` when neither side has events. */
export function eventNumbers({ legs }: StreamUpdate): EventNumbers | undefined {
  const caller = legs.caller.event;
  const callee = legs.callee.event;
  if (caller === undefined || callee === undefined) {
    const only = caller ?? callee;
    if (only === undefined) return undefined;
    const answer = allNumbers(only);
    const audio = SIDES.flatMap((side) => legs[side].audio.payloadTypes);
    const offer = [...spareNumber([...audio, ...answer]), ...answer];
    return {
      clockRate: only.clockRate,
      offerer: caller === undefined ? 'caller' : 'callee',
      offer,
      answer,
    };
  }
  const callerNumbers = allNumbers(caller);
  const callerOnly = callerNumbers.filter((number) => number !== callee.sendPayloadType);
  const first = caller.sendPayloadType;
  // A number that one peer wants and the other one sends with is read as what is wanted.
  const answer = allNumbers(callee).filter(
    (number) => number === callee.sendPayloadType || !callerNumbers.includes(number),
  );
  const offer = [...new Set([first, ...callerOnly, ...answer])];
  return { clockRate: caller.clockRate, offerer: 'caller', offer, answer };
}

/** A dynamic number that is not among `used`; none when all are. */
function spareNumber(used: readonly number[]): number[] {
  for (let number = 127; number >= 96; number -= 1) if (!used.includes(number)) return [number];
  return [];
}

/** What the peer wants first, then what it may send with. */
function allNumbers({ sendPayloadType, receivePayloadTypes }: EventMedia): readonly number[] {
  return [...new Set([sendPayloadType, ...receivePayloadTypes])];
}

/** The sides whose events may not reach the other one. */
export function blockedSides({ legs, events }: StreamUpdate): Side[] {
  return SIDES.filter((side) => {
    const isAbsorbed = events[side].mode === 'absorb';
    return (
      legs[side].event !== undefined && (isAbsorbed || legs[otherSide(side)].event === undefined)
    );
  });
}

/** Whether the digits of one side need translation, so that some will be played to the other. */
export function needsInjection({ legs }: StreamUpdate): boolean {
  return (legs.caller.event === undefined) !== (legs.callee.event === undefined);
}

/** What rtpengine makes its coders of: when it is the same as before, they go on. */
export function coderKey(update: StreamUpdate, canPlay: boolean): string {
  const { caller, callee } = update.legs;
  const audio = [caller.audio.payloadTypes, callee.audio.payloadTypes];
  return JSON.stringify([canPlay, eventNumbers(update), audio]);
}
