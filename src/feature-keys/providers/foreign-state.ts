/** Answers of stores that others write: checked member by member, what is missing takes its default. */

import type { FeatureChange, FeatureState, FeatureValues, SetResult } from '../feature-state.ts';
import { featureValues } from './account-shape.ts';

/** State as another store gives it: it need not count versions nor know when something changed. */
export type ForeignState = Omit<FeatureState, 'version' | 'updatedAt'> & {
  readonly version: number | undefined;
  readonly updatedAt: string | undefined;
};

/** An answer that cannot be used. The text names the member, never its value. */
export class AnswerError extends Error {
  override readonly name = 'AnswerError';
}

const OUTCOMES = ['applied', 'unchanged', 'refused'] as const;
const MOST_REASON_CHARACTERS = 200;
/** More than 256 characters, counted as in the body of a SUBSCRIBE. */
const TOO_LONG = /^[^]{257}/u;
// A value with one of these could not stand in a NOTIFY.
const CONTROL = /\p{Cc}/u;

/** @throws AnswerError */
export function parseForeignState(answer: unknown): ForeignState {
  const members = membersOf(answer, 'the answer');
  return {
    status: flag(members, 'status', false),
    values: values(members['values'], {}),
    assigned: flag(members, 'assigned', true),
    notify: flag(members, 'notify', true),
    locked: flag(members, 'locked', false),
    version: version(members),
    updatedAt: updatedAt(members['updatedAt']),
  };
}

/**
 * Refused without a word about the value means that the stored one stays.
 *
 * @throws AnswerError
 */
export function parseSetResult(answer: unknown, change: FeatureChange): SetResult {
  const members = membersOf(answer, 'the answer');
  const given = members['outcome'] ?? 'applied';
  const outcome = OUTCOMES.find((known) => known === given);
  if (outcome === undefined) throw new AnswerError('outcome is none that is known');
  const base = outcome === 'refused' ? change.current : change.proposed;
  const reason = refusalReason(members['reason']);
  const counted = version(members);
  return {
    outcome,
    status: flag(members, 'status', base.status),
    values: values(members['values'], base.values),
    assigned: flag(members, 'assigned', true),
    notify: flag(members, 'notify', true),
    ...(reason === undefined ? {} : { reason }),
    ...(counted === undefined ? {} : { version: counted }),
  };
}

/** A reason as it may stand in a log line and a header: on one line, cut, absent where there is none. */
export function refusalReason(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined;
  const line = value
    .replaceAll(/[\p{Cc}\s]+/gu, ' ')
    .trim()
    .slice(0, MOST_REASON_CHARACTERS);
  return line === '' ? undefined : line;
}

export function membersOf(value: unknown, name: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new AnswerError(`${name} is no object`);
  }
  return { ...value };
}

function flag(
  members: Readonly<Record<string, unknown>>,
  name: string,
  otherwise: boolean,
): boolean {
  const value = members[name] ?? otherwise;
  if (typeof value !== 'boolean') throw new AnswerError(`${name} is neither true nor false`);
  return value;
}

function values(value: unknown, otherwise: FeatureValues): FeatureValues {
  if (value === undefined || value === null) return otherwise;
  const { forwardTo, ringCount } = membersOf(value, 'values');
  return featureValues(numberText(forwardTo), rings(ringCount));
}

/** Null and the empty text say that there is none, as many databases and forms have it. */
function numberText(value: unknown): string | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value !== 'string') throw new AnswerError('values.forwardTo is no text');
  if (TOO_LONG.test(value)) throw new AnswerError('values.forwardTo is too long');
  if (CONTROL.test(value)) throw new AnswerError('values.forwardTo holds control characters');
  return value;
}

function rings(value: unknown): number | undefined {
  if (value === undefined || value === null) return undefined;
  const isCount = typeof value === 'number' && Number.isInteger(value);
  if (!isCount) throw new AnswerError('values.ringCount is no whole number');
  if (value < 0 || value === 1 || value > 20) {
    throw new AnswerError('values.ringCount is neither 0 nor from 2 to 20');
  }
  return value;
}

function version(members: Readonly<Record<string, unknown>>): number | undefined {
  const value = members['version'];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
    throw new AnswerError('version is no whole number');
  }
  return value;
}

function updatedAt(value: unknown): string | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  const atMs = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(atMs)) throw new AnswerError('updatedAt is no time');
  return new Date(atMs).toISOString();
}
