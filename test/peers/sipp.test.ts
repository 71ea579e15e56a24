/**
 * Calls from SIPp to SIPp through the SBC: an endpoint by other authors must see what RFC 3261 and the interworking
 * rules promise, and never anything of the other leg. The scenario files check each message on their side.
 */

import { env } from 'node:process';
import { describe, expect, test } from 'vitest';
import { checkLeaksAfterEach } from '../support/leak-check.ts';
import {
  eventProblems,
  RELAYED_EVENTS,
  receivedDigits,
  receivedEvents,
  streamProblems,
} from '../support/rtp-analysis.ts';
import { headerTokens, headerValue, methodOf, statusOf } from '../support/sip-text.ts';
import { hasSipp } from '../support/sipp.ts';
import type { SippMessage } from '../support/sipp.ts';
import { waitFor } from '../support/wait-for.ts';
import {
  ADDRESSES,
  callProblems,
  callThroughSbc,
  topologyLeaks,
  withoutRepeats,
} from './sipp-call.ts';

// On a developer's machine the program may be missing; in CI that is a failure.
const isMissing = !hasSipp() && env['CI'] === undefined;
const EVENT = 101;
const KEYS = '5*A';
/** How long a call lasts in which keys cross: much longer than they take. */
const HOLD_MS = 6000;

checkLeaksAfterEach();

function startLines(messages: readonly SippMessage[], direction: 'sent' | 'received'): string[] {
  return withoutRepeats(messages)
    .filter((entry) => entry.direction === direction)
    .map(({ message }) => String(statusOf(message) ?? methodOf(message)));
}

describe.skipIf(isMissing)('SIPp', () => {
  test.each(['udp', 'tcp'] as const)(
    'two telephone-event ends hear each other’s keys over %s, each with the SBC’s own addresses',
    async (transport) => {
      const result = await callThroughSbc({
        caller: 'uac-events',
        callee: 'uas-events',
        transport,
        template: { hold: HOLD_MS },
        during: async ({ callerMedia, calleeMedia }) => {
          await Promise.all([callerMedia.press(KEYS), calleeMedia.press('#0')]);
          await waitFor(
            'keys at the callee',
            () => receivedDigits(calleeMedia.received, EVENT) === KEYS,
          );
          await waitFor(
            'keys at the caller',
            () => receivedDigits(callerMedia.received, EVENT) === '#0',
          );
          expect(streamProblems(calleeMedia.received, { eventPayloadType: EVENT })).toEqual([]);
          expect(new Set(calleeMedia.received.map((packet) => packet.address))).toEqual(
            new Set([ADDRESSES.core]),
          );
        },
      });
      expect(callProblems(result)).toEqual([]);
      // The search itself must be able to find something: here both legs are one.
      expect(topologyLeaks({ ...result, caller: result.callee })).not.toEqual([]);
      const invite = result.callee.messages[0]?.message;
      expect(invite && headerValue(invite, 'Max-Forwards')).toBe('69');
      expect(invite?.body).toContain(`c=IN IP4 ${ADDRESSES.core}`);
      expect(invite && headerTokens(invite, 'Allow-Events')).not.toContain('kpml');
    },
  );

  test('a KPML caller is subscribed to and its keys reach the callee as telephone-events', async () => {
    const result = await callThroughSbc({
      caller: 'uac-kpml',
      callee: 'uas-events-inserted',
      template: { hold: HOLD_MS },
      during: async ({ calleeMedia }) => {
        await waitFor(
          'keys at the callee',
          () => receivedDigits(calleeMedia.received, EVENT) === '4#D',
        );
        const isWhole = (): boolean =>
          receivedEvents(calleeMedia.received, EVENT)
            .at(-1)
            ?.reports.filter((r) => r.isEnd).length === 3;
        await waitFor('the last end packet', isWhole);
        const events = receivedEvents(calleeMedia.received, EVENT);
        expect(
          events.flatMap((event) => eventProblems(event, { ...RELAYED_EVENTS, durationMs: 100 })),
        ).toEqual([]);
        expect(streamProblems(calleeMedia.received, { eventPayloadType: EVENT })).toEqual([]);
      },
    });
    expect(callProblems(result)).toEqual([]);
    const invite = result.callee.messages[0]?.message;
    expect(invite && headerTokens(invite, 'Allow-Events')).toEqual(['presence']);
    expect(startLines(result.callee.messages, 'received')).toEqual(['INVITE', 'ACK', 'BYE']);
  });

  test('a KPML callee may subscribe, and gets each key of the caller by NOTIFY once', async () => {
    const result = await callThroughSbc({
      caller: 'uac-events',
      callee: 'uas-kpml',
      template: { hold: HOLD_MS },
      core: { 'kpml-interworking': 'enabled', 'rfc2833-mode': 'transparent' },
      access: { 'kpml-interworking': 'disabled', 'rfc2833-mode': 'preferred' },
      during: async ({ callee, callerMedia }) => {
        await callee.received('the first NOTIFY', /^NOTIFY [^]*^Subscription-State: *active/m);
        await callerMedia.press(KEYS);
        await callee.received('the last key', /digits="A"/);
      },
    });
    expect(callProblems(result)).toEqual([]);
    const digits = result.callee.messages.flatMap(({ direction, text }) =>
      direction === 'received' ? (/digits="([^"]*)"/.exec(text)?.[1] ?? []) : [],
    );
    expect(digits.join('')).toBe(KEYS);
  });

  test('a caller who gives up cancels the call at the callee', async () => {
    const result = await callThroughSbc({ caller: 'uac-cancel', callee: 'uas-cancel' });
    expect(callProblems(result)).toEqual([]);
  });

  test.each([
    [486, 'Busy Here'],
    [404, 'Not Found'],
  ])('a refusal with %i reaches the caller', async (status, reason) => {
    const result = await callThroughSbc({
      caller: 'uac-refused',
      callee: 'uas-refusing',
      template: { status, reason },
    });
    expect(callProblems(result)).toEqual([]);
  });

  test('INFO and a re-INVITE for hold are passed on with their bodies', async () => {
    const result = await callThroughSbc({ caller: 'uac-reinvite', callee: 'uas-reinvite' });
    expect(callProblems(result)).toEqual([]);
  });
});
