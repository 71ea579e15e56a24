import type { RecordedEvent } from './recording-file.ts';

/** Changes inputs of a recording that only make sense with the recorded behaviour. */
export type RecordingEdit = (events: readonly RecordedEvent[]) => readonly RecordedEvent[];

/** A NOTIFY delivered as if it were outside any dialog. */
function isLateNotify(event: RecordedEvent): boolean {
  return (
    event.type === 'serverFrame' && /^\S+\|\|127\.0\.0\.1\|5067\|\r\nNOTIFY/.test(event.payload)
  );
}

/** The NOTIFY is delivered only with the 2xx, so the peer sends that before the application answers. */
export function answerBeforeNotify(events: readonly RecordedEvent[]): readonly RecordedEvent[] {
  const notify = events.findIndex(isLateNotify);
  const answer = events.findIndex(
    (event, index) =>
      index > notify && event.type === 'peerMessage' && event.text.startsWith('SIP/2.0 200'),
  );
  const delivered = events.findIndex(
    (event, index) =>
      index > answer && event.type === 'serverFrame' && event.payload.includes('\r\nSIP/2.0 200'),
  );
  const moved = new Set([answer, delivered]);
  const inFront = [...moved].flatMap((index) => events[index] ?? []);
  const others = events.filter((_event, index) => !moved.has(index));
  return [...others.slice(0, notify), ...inFront, ...others.slice(notify)];
}

/**
 * Leaves out what belongs to these branches and transaction ids, except requests of peers: the engine
 * answers those by itself, so that the recorded course has no beginning.
 */
export function withoutCourseOf(ids: readonly string[]): RecordingEdit {
  return (events) =>
    events.filter((event) => {
      const text = textOf(event);
      if (!ids.some((id) => text.includes(id))) return true;
      return event.type === 'peerMessage' && !/^(ACK|SIP\/)/.test(text);
    });
}

/** The recorded server itself refuses a session timer below its minimum; here that is for the application. */
export function withoutTooShortTimer(events: readonly RecordedEvent[]): readonly RecordedEvent[] {
  return events.filter((event) => !textOf(event).includes('z9hG4bKvdofwv5'));
}

/** Events about calls that no SIP message causes. */
export function withoutCdrEvents(events: readonly RecordedEvent[]): readonly RecordedEvent[] {
  return events.filter(
    (event) => event.type !== 'serverFrame' || !/^[^|]+\|cdr:/.test(event.payload),
  );
}

function textOf(event: RecordedEvent): string {
  if ('payload' in event) return event.payload;
  return 'text' in event ? event.text : '';
}
