/** The schema of one event of a scenario: an end presses keys, holds, hangs up. */
import * as z from 'zod';
import { choice, duration, nonEmptyText } from '../config/values.ts';
import { ANY_KEY } from './endpoint-keys.ts';
import type { EndAction, ScenarioEvent } from './scenario.ts';
import { keys, percentage, type ReadFile, sdpSource } from './scenario-values.ts';

const ACTIONS = ['hold', 'resume', 're-invite', 'subscribe', 'hang-up', 'cancel'] as const;
const MAX_KEY_MS = 60_000;

/** @param maximumMs the latest time. */
export function eventSchema(readFile: ReadFile, maximumMs: number) {
  const keyTime = { minimumMs: 0, maximumMs: MAX_KEY_MS };
  return z
    .strictObject({
      at: duration({ minimumMs: 0, maximumMs }, 'When, from the INVITE of the caller on.'),
      by: choice(['caller', 'callee'], 'Who does it.'),
      press: keys('Keys to press one behind the other.').optional(),
      duration: duration(keyTime, 'How long each key is held.').prefault('100ms'),
      gap: duration(keyTime, 'The pause behind each key.').prefault('100ms'),
      do: choice(ACTIONS, 'Anything else than pressing keys.').optional(),
      sdp: sdpSource(
        readFile,
        'The offer of a re-invite; without it the SDP from before.',
      ).optional(),
      pattern: nonEmptyText('The keys that a subscribe asks for, as a DRegex.').prefault(ANY_KEY),
      'rtp-loss': percentage('From now on this share of its RTP packets gets lost.').optional(),
    })
    .superRefine((raw, context) => {
      const actions = [raw.press, raw.do, raw['rtp-loss']].filter((each) => each !== undefined);
      if (actions.length === 1) return;
      const message = 'an event needs exactly one of press, do, rtp-loss';
      context.addIssue({ code: 'custom', path: ['by'], message });
    })
    .transform((raw): ScenarioEvent => ({ atMs: raw.at, by: raw.by, action: actionOf(raw) }));
}

interface RawAction {
  readonly press?: string | undefined;
  readonly duration: number;
  readonly gap: number;
  readonly do?: (typeof ACTIONS)[number] | undefined;
  readonly sdp?: Extract<EndAction, { type: 're-invite' }>['sdp'];
  readonly pattern: string;
  readonly 'rtp-loss'?: number | undefined;
}

function actionOf(raw: RawAction): EndAction {
  if (raw.press !== undefined) {
    return { type: 'press', keys: raw.press, durationMs: raw.duration, gapMs: raw.gap };
  }
  if (raw.do === 're-invite') return { type: 're-invite', sdp: raw.sdp };
  if (raw.do === 'subscribe') return { type: 'subscribe', pattern: raw.pattern };
  if (raw.do !== undefined) return { type: raw.do };
  return { type: 'rtp-loss', ratio: raw['rtp-loss'] ?? 0 };
}
