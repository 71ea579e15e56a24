import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { replayEvents } from '../support/drachtio-recording.ts';
import type { ReplayOptions } from '../support/drachtio-recording.ts';
import {
  answerBeforeNotify,
  withoutCdrEvents,
  withoutCourseOf,
  withoutTooShortTimer,
} from '../support/recording-edits.ts';
import type { RecordingEdit } from '../support/recording-edits.ts';
import { parseRecording } from '../support/recording-file.ts';

/** A difference from the recorded server 0.8.2 that is meant. */
interface Deliberate {
  readonly difference: RegExp;
  readonly reason: string;
}

interface Scenario {
  readonly name: string;
  readonly deliberate: readonly Deliberate[];
  /** Changes inputs that only make sense with the recorded behaviour. */
  readonly edit?: RecordingEdit;
  readonly timers?: ReplayOptions['timers'];
}

const TARGET_REFRESH =
  'the remote target follows the Contact of target refresh requests (RFC 3261 §12.2)';
const ACK_CSEQ = 'the ACK has the CSeq of its INVITE even after a PRACK (RFC 3261 §13.2.2.4)';

const NO_TRYING = 'an INVITE nobody takes is refused at once, without a 100';
const TO_URI = 'parameters of the URI stay inside the brackets of To';
const TO_PARAMETER =
  /: to: <[^;>]+>;transport=tcp(;tag=\w+)? became <[^>]+;transport=tcp>(;transport=tcp;tag=\w+)?$/;

const SCENARIOS: readonly Scenario[] = [
  { name: '01-connect-auth-route', deliberate: [] },
  {
    name: '02-b2bua-basic',
    deliberate: [
      {
        difference: /^alice:\d+ (missing: 503|extra: 481) INFO$/,
        reason: 'a request for an ended dialog gets 481, not 503',
      },
    ],
  },
  {
    name: '03-indialog-subscribe-from-network',
    deliberate: [
      {
        difference: /489 SUBSCRIBE: contact: .* became nothing$/,
        reason: 'a refusal needs no Contact',
      },
    ],
  },
  {
    name: '04-indialog-subscribe-by-app',
    deliberate: [{ difference: /start line: .* became \w+ sip:moved/, reason: TARGET_REFRESH }],
  },
  {
    name: '04a-terminated-notify-detaches-invite-dialog',
    deliberate: [
      {
        difference: /^conn1 extra: frame NOTIFY$/,
        reason:
          'after a terminated NOTIFY the application still gets what comes in the INVITE dialog',
      },
    ],
  },
  { name: '05-cancel', deliberate: [] },
  {
    name: '05b-quick-cancel',
    deliberate: [
      {
        difference:
          /^alice:\d+ missing: 200 INVITE$|^conn1 OK 200 INVITE: .*( became |Response not sent)/s,
        reason:
          'the INVITE is answered with 487; a late 200 of the application is refused, not sent',
      },
    ],
  },
  {
    name: '06-reject-redirect',
    deliberate: [
      {
        difference: /^conn2 extra: response NOK Server error: ACK for non-success/,
        reason: 'the recorded server was too slow to answer before the application left',
      },
    ],
  },
  {
    name: '07-options-register-message',
    edit: withoutCourseOf(['z9hG4bKyqhnzs61', '77f2704e-8e15-498b-afc3-1fb164d90745']),
    deliberate: [
      { difference: /^alice:\d+ missing: 100 INVITE$/, reason: NO_TRYING },
      {
        difference: /^alice:\d+ extra: (503 REFER|501 FOO)$/,
        reason: 'a request nobody takes is refused, not ignored',
      },
      {
        difference:
          /^alice:\d+ (missing: 503 (INFO|SUBSCRIBE|NOTIFY)|extra: 481 (INFO|SUBSCRIBE|NOTIFY|OPTIONS))$/,
        reason: 'an unknown To tag means 481 for every method (RFC 3261 §12.2.2)',
      },
    ],
  },
  {
    name: '08-timeouts',
    timers: { t1Ms: 10 },
    deliberate: [
      {
        difference: /^conn1 frame (408|503) \w+: to: sip:\S+ became <sip:[^>]+>;tag=\w+$/,
        reason: 'the URI stays in brackets, as in the request',
      },
      { difference: TO_PARAMETER, reason: TO_URI },
      {
        difference: /^conn1 OK OPTIONS: tokens: .*\|0\|tcp\|127\.0\.0\.1\|1\|.*\|0\|tcp\|\|0\|/,
        reason: 'a request that never left has no path',
      },
      {
        difference: /^conn1 frame 503 OPTIONS: x-unreachable: nothing became \w+ 127\.0\.0\.1:1: /,
        reason: 'the application is told which address failed and why',
      },
    ],
  },
  { name: '09-ack-timeout', timers: { t1Ms: 10 }, deliberate: [] },
  { name: '10-delayed-offer', deliberate: [] },
  {
    name: '11-prack-100rel',
    deliberate: [{ difference: / ACK: cseq/, reason: ACK_CSEQ }],
  },
  {
    name: '12-update',
    deliberate: [
      {
        difference: /^conn1 extra: frame UPDATE$/,
        reason: 'an UPDATE in the early dialog is a request like any other',
      },
    ],
  },
  {
    name: '12b-early-update-after-prack',
    deliberate: [{ difference: / ACK: cseq/, reason: ACK_CSEQ }],
  },
  {
    name: '13-standalone-subscribe',
    edit: answerBeforeNotify,
    deliberate: [
      {
        difference: /^conn1 (frame NOTIFY|OK 481 NOTIFY): tokens/,
        reason: 'a NOTIFY that overtakes the 2xx to its SUBSCRIBE belongs to that dialog',
      },
    ],
  },
  {
    name: '14-auth',
    deliberate: [
      {
        difference: / ACK: (proxy-)?authorization: nothing became Digest/,
        reason: 'the ACK carries the credentials of its INVITE (RFC 3261 §22.1)',
      },
    ],
  },
  {
    name: '15-forked-200',
    deliberate: [
      {
        difference: /^bob:\d+ extra: (ACK|BYE)$/,
        reason: 'the second branch that answers is acknowledged and ended',
      },
    ],
  },
  { name: '15b-retransmitted-200', deliberate: [] },
  {
    name: '16-reinvite-glare-failure',
    edit: withoutCourseOf([
      'z9hG4bKxi5h8d8',
      '8246b2d8-932f-4792-946e-a6ae5e9a518b',
      'z9hG4bKo6bchp9',
    ]),
    deliberate: [
      { difference: /start line: .* became \w+ sip:moved/, reason: TARGET_REFRESH },
      {
        difference: /^alice:\d+ extra: 491 INVITE$/,
        reason: 'a re-INVITE that crosses one of ours is refused (RFC 3261 §14.2)',
      },
      {
        difference: /^alice:\d+ (missing: 100|extra: 500) INVITE$|^conn1 missing: frame INVITE$/,
        reason: 'a re-INVITE before the answer to the last one is refused (RFC 3261 §14.2)',
      },
      {
        difference: /^conn1 OK ACK: .*( became (nothing|NaN|)$|\|NOK\|Server error: ACK for non-)/,
        reason: 'refusals are acknowledged by the transaction, not once more by the application',
      },
    ],
  },
  { name: '17-retransmissions', deliberate: [] },
  { name: '18-session-timer', edit: withoutTooShortTimer, deliberate: [] },
  {
    name: '19-headers-proxy',
    deliberate: [
      {
        difference: /no\.such\.host|\|unknown\||DNS Error|^conn1 OK OPTIONS: via: nothing/,
        reason: 'a name that does not resolve fails like any unreachable peer',
      },
      {
        difference: / REFER: contact: nothing became/,
        reason: 'REFER carries a Contact (RFC 3515)',
      },
      {
        difference: /OPTIONS: (tokens: .*\|tcp\||via: SIP\/2.0\/TCP)/,
        reason: 'the transport of the URI stands, also for a request above 1300 bytes',
      },
    ],
  },
  {
    name: '20-app-disconnect',
    deliberate: [
      {
        difference: /^(alice|bob):\d+ extra: BYE$|^alice:\d+ extra: 481 INFO$/,
        reason: 'calls without their application are ended',
      },
      { difference: /^alice:\d+ missing: 100 INVITE$/, reason: NO_TRYING },
    ],
  },
  { name: '21-cdr', edit: withoutCdrEvents, deliberate: [] },
  {
    name: '22-misc-srf',
    deliberate: [
      {
        difference: /200 REFER: contact: nothing became/,
        reason: 'REFER moves targets (RFC 3515)',
      },
    ],
  },
  {
    name: '23-tcp',
    deliberate: [
      { difference: TO_PARAMETER, reason: TO_URI },
      {
        difference: /^conn1 OK (NOTIFY|INVITE|ACK|BYE): tokens: /,
        reason: 'the confirmation of a request names the own address, on TCP as on UDP',
      },
    ],
  },
  {
    name: '24-early-requests',
    deliberate: [
      {
        difference: /^conn1 frame SUBSCRIBE: tokens/,
        reason: 'a request in an early dialog carries the dialog id',
      },
      {
        difference: /BYE|^alice:\d+ extra: 487 INVITE$|^conn1 extra: frame CANCEL$/,
        reason: 'a BYE in the early dialog ends the INVITE with 487; the application sees a CANCEL',
      },
    ],
  },
  { name: '25-reinvite-200-retransmit', deliberate: [] },
  {
    name: '26-reinvite-with-180',
    deliberate: [
      {
        difference: /^conn1 (missing: frame (180 INVITE|182 INFO)|extra: frame 200 (INVITE|INFO))$/,
        reason:
          'a 1xx of an in-dialog request stays in the engine and its final response is delivered',
      },
    ],
  },
];

describe('replayed recordings of a drachtio-server', () => {
  test.each(SCENARIOS)('$name', async ({ name, deliberate, edit, timers = {} }) => {
    const file = new URL(`../fixtures/drachtio/${name}.txt`, import.meta.url);
    const events = parseRecording(readFileSync(file, 'utf8'));

    const isMeant = (difference: string): boolean =>
      deliberate.some((each) => each.difference.test(difference));

    const played = edit === undefined ? events : edit(events);
    const differences = await replayEvents(played, { isMeant, timers });

    expect(differences.filter((difference) => !isMeant(difference))).toEqual([]);
    // A declared difference that no longer shows up would hide the next real one.
    const unused = deliberate.filter(
      (each) => !differences.some((difference) => each.difference.test(difference)),
    );
    expect(unused).toEqual([]);
  });
});
