/** What arrived in a virtual call, in words. */
import {
  readRtpPayload,
  rtpMarker,
  rtpSequenceNumber,
  rtpTimestamp,
} from '../../../src/wire/rtp.ts';
import { sequenceDistance16 } from '../../../src/wire/sequence.ts';
import { readTelephoneEvent } from '../../../src/wire/telephone-event.ts';
import type { Arrived, VirtualCall } from './virtual-call.ts';

export interface Report {
  readonly timestamp: number;
  readonly code: number;
  readonly marker: boolean;
  readonly isEnd: boolean;
  readonly durationTicks: number;
}

export function reportOf({ bytes }: Arrived): Report {
  const event = readTelephoneEvent(readRtpPayload(bytes) ?? Buffer.alloc(0));
  if (event === undefined) throw new Error('no event');
  const { code, isEnd, durationTicks } = event;
  return { timestamp: rtpTimestamp(bytes), code, marker: rtpMarker(bytes), isEnd, durationTicks };
}

/** The events that arrived, each as `code: durations`, ends marked. */
export function eventsOf(call: VirtualCall, payloadType = 101): string[] {
  const events = Map.groupBy(
    call.ofType(payloadType).map((packet) => reportOf(packet)),
    ({ timestamp, code }) => `${timestamp} ${code}`,
  );
  return [...events.values()].map((reports) => {
    const durations = reports.map(
      ({ durationTicks, isEnd, marker }) =>
        `${durationTicks}${marker ? 'M' : ''}${isEnd ? 'E' : ''}`,
    );
    return `${reports[0]?.code}: ${durations.join(' ')}`;
  });
}

/** Steps between the sequence numbers that arrived. */
export function stepsOf(arrived: readonly Arrived[]): Set<number> {
  const numbers = arrived.map(({ bytes }) => rtpSequenceNumber(bytes));
  return new Set(
    numbers.slice(1).map((number, index) => sequenceDistance16(numbers[index] ?? 0, number)),
  );
}

/** A digit 5 of 100 ms at 20 ms per packet. */
export const REGULAR = '5: 160M 320 480 640 800E 800E 800E';
