/** The record of a call whose process was killed: what was known of it, and an end at the last time known. */
import type { CdrRecord } from './cdr.ts';
import type { UnfinishedAttempt } from './cdr-journal-lines.ts';

const MS_PER_SECOND = 1000;

/** Of the end of such a call; the code stands among those of all other ends, too. */
export const PROCESS_KILLED = {
  internalCode: 'process-killed',
  status: 500,
  q850: 41,
  text: 'process killed',
} as const;

/** `nowMs`: the start that finds the call, ms since 1970. */
export function killedRecord(
  { attempt, lastMs }: UnfinishedAttempt,
  nowMs: number,
): Omit<CdrRecord, 'media'> {
  const { timestamps } = attempt;
  const times = Object.values(timestamps).map((text) => Date.parse(text));
  // The clock may have been put back meanwhile: a call never ends before it was answered.
  const endMs = Math.max(lastMs, ...times.filter((ms) => !Number.isNaN(ms)));
  const { invite, ringing, answer } = timestamps;
  const firstSign = timestamps.firstProgress ?? answer;
  const pdd = firstSign === undefined ? undefined : seconds(invite, Date.parse(firstSign));
  const ring = seconds(ringing, answer === undefined ? endMs : Date.parse(answer));
  return {
    ...attempt,
    timestamps: { ...timestamps, end: new Date(endMs).toISOString() },
    durations: {
      ...(pdd === undefined ? {} : { pdd }),
      ...(ring === undefined ? {} : { ring }),
      bill: seconds(answer, endMs) ?? 0,
    },
    release: {
      side: 'sbc',
      sipCode: answer === undefined ? PROCESS_KILLED.status : 200,
      q850: PROCESS_KILLED.q850,
      internalCode: PROCESS_KILLED.internalCode,
      text: PROCESS_KILLED.text,
    },
    recovered: { at: new Date(nowMs).toISOString() },
  };
}

function seconds(from: string | undefined, toMs: number): number | undefined {
  return from === undefined ? undefined : Math.round(toMs - Date.parse(from)) / MS_PER_SECOND;
}
