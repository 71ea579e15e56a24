import { expect, test } from 'vitest';
import { checkInput, mutants, VALID_MESSAGES } from './sip-mutants.ts';

const INPUTS = 4000;

test('what the mutants are made of is valid', () => {
  expect(VALID_MESSAGES.map((bytes) => checkInput(bytes).isMessage)).toEqual([true, true, true]);
});

test('mutated messages are read or refused, and what is read is a fixed point once written', () => {
  const source = mutants(1);
  let messages = 0;
  for (let count = 0; count < INPUTS; count += 1) {
    if (checkInput(source.next().value).isMessage) messages += 1;
  }
  // Both ways must have been gone often for this to mean anything.
  expect(messages).toBeGreaterThan(INPUTS / 20);
  expect(messages).toBeLessThan(INPUTS);
});
