/**
 * A digit as rtpengine reports it (`--dtmf-log-dest`): one datagram of JSON at the end of each telephone-event.
 *
 *   {"callid":"…","source_tag":"caller","tags":[…],"type":"DTMF","timestamp":1795356550,"source_ip":"…",
 *    "event":7,"duration":100,"volume":10}
 */

import { z } from 'zod';

/** Far more than any report has. */
const MAX_REPORT_BYTES = 4096;

/** The longest that is believed: one full segment of a clock of 1000 Hz. */
const MAX_DURATION_MS = 65_535;

const schema = z.object({
  type: z.literal('DTMF'),
  callid: z.string().min(1).max(255),
  source_tag: z.enum(['caller', 'callee']),
  event: z.int().min(0).max(16),
  duration: z.int().min(0),
  timestamp: z.int().min(0).optional().catch(undefined),
});

export interface DtmfReport {
  readonly engineCallId: string;
  readonly side: 'caller' | 'callee';
  readonly eventCode: number;
  readonly durationMs: number;
  /** As it came. */
  readonly text: string;
  /** Whether it says in which second the key was let go. */
  readonly isDated: boolean;
}

/** @returns `undefined` for anything else than a report of one of the 17 keys. */
export function parseDtmfReport(bytes: Buffer): DtmfReport | undefined {
  if (bytes.length > MAX_REPORT_BYTES) return undefined;
  const text = bytes.toString('utf8');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const read = schema.safeParse(value);
  if (!read.success) return undefined;
  const { callid, source_tag: side, event, duration, timestamp } = read.data;
  return {
    engineCallId: callid,
    side,
    eventCode: event,
    durationMs: Math.min(duration, MAX_DURATION_MS),
    text,
    isDated: timestamp !== undefined,
  };
}
