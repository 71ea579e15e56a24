/** Whole accounts from the answers of stores that others write. */

import type { Feature } from '../../wire/feature-event.ts';
import { accountOf } from './account-shape.ts';
import { AnswerError, type ForeignState, membersOf, parseForeignState } from './foreign-state.ts';

export type ForeignAccount = Readonly<Record<Feature, ForeignState>>;

/**
 * All features or none.
 *
 * @throws AnswerError when only some are known.
 */
export function wholeAccount(
  states: Readonly<Record<Feature, ForeignState | undefined>>,
): ForeignAccount | undefined {
  if (Object.values(states).every((state) => state === undefined)) return undefined;
  return accountOf((feature) => {
    const state = states[feature];
    if (state === undefined) throw new AnswerError('only some features of the account are known');
    return state;
  });
}

/**
 * Features by name; those that are missing are off, since a phone would take a feature it is not told of for one that
 * the account does not have.
 *
 * @throws AnswerError
 */
export function parseForeignAccount(content: unknown): ForeignAccount {
  const members = membersOf(content, 'the answer');
  return accountOf((feature) => parseForeignState(members[feature] ?? {}));
}
