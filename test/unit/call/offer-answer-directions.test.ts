/** Which way media goes after any sequence of holds, from either side and in any form. */

import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Side } from '../../../src/wire/side.ts';
import { otherSide } from '../../../src/wire/side.ts';
import { allowedInAnswer } from '../../../src/wire/sdp-direction.ts';
import { parseSdp } from '../../../src/wire/sdp.ts';
import { sdpOf, stream, TestCall } from './offer-answer-fixtures.ts';

const DIRECTIONS = ['sendrecv', 'sendonly', 'recvonly', 'inactive'] as const;
type Direction = (typeof DIRECTIONS)[number];

interface Step {
  readonly from: Side;
  readonly offered: Direction;
  /** What the other end answers, whether it may or not. */
  readonly answered: Direction;
  readonly isNowhere: boolean;
  readonly isRefused: boolean;
}

const anyDirection = fc.constantFrom(...DIRECTIONS);
const anyStep: fc.Arbitrary<Step> = fc.record({
  from: fc.constantFrom('caller', 'callee'),
  offered: anyDirection,
  answered: anyDirection,
  isNowhere: fc.boolean(),
  isRefused: fc.boolean(),
});

function describeAudio(side: Side, direction: Direction, isNowhere = false): string {
  const sdp = sdpOf(side, '0', `a=${direction}`);
  return isNowhere ? sdp.replace(/^c=IN IP4 \S+/m, 'c=IN IP4 0.0.0.0') : sdp;
}

function directionIn(sdp: string | undefined): string | undefined {
  return sdp === undefined ? undefined : parseSdp(sdp).media[0]?.direction;
}

function versionIn(sdp: string | undefined): number {
  return Number(/^o=- \d+ (\d+) /m.exec(sdp ?? '')?.[1]);
}

test('offers cross as they are, answers as far as RFC 3264 lets them, and media does what both ends read', () => {
  fc.assert(
    fc.property(fc.array(anyStep, { minLength: 1, maxLength: 12 }), (steps) => {
      const call = new TestCall();
      call.offer('caller', describeAudio('caller', 'sendrecv'));
      call.answer('callee', describeAudio('callee', 'sendrecv'));
      const versions = { caller: 1, callee: 1 };
      for (const { from, offered, answered, isNowhere, isRefused } of steps) {
        const to = otherSide(from);
        const offer = call.offer(from, describeAudio(from, offered, isNowhere));
        expect(directionIn(offer.sdp)).toBe(offered);
        if (isRefused) {
          call.negotiation.abandonOffer();
          continue;
        }
        const answer = call.answer(to, describeAudio(to, answered));
        const allowed = allowedInAnswer(offered, answered);
        expect(directionIn(answer.sdp)).toBe(allowed);
        const { legs } = stream(answer);
        expect(legs[from].maySend).toBe(
          !isNowhere && (allowed === 'sendrecv' || allowed === 'sendonly'),
        );
        expect(legs[to].maySend).toBe(allowed === 'sendrecv' || allowed === 'recvonly');
        expect(versionIn(offer.sdp)).toBeGreaterThanOrEqual(versions[to]);
        expect(versionIn(answer.sdp)).toBeGreaterThanOrEqual(versions[from]);
        versions[to] = versionIn(offer.sdp);
        versions[from] = versionIn(answer.sdp);
      }
    }),
  );
});
