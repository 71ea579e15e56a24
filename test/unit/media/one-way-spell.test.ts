import { expect, test } from 'vitest';
import { OneWaySpell } from '../../../src/media/one-way-spell.ts';

/** One look per second: who alone was heard, `-` for both or nobody. */
test.each([
  ['both are heard', '-----', '-----'],
  ['a short spell', 'cc---', '-----'],
  ['a spell is said once, and its end', 'ccccc-', '--c--o'],
  ['the other side after the one: the look that shows it ends the one', 'cccbbbb-', '--co--bo'],
  ['spells with pauses do not add up', 'cc-cc-cc-', '---------'],
  ['a new spell after the end', 'ccc-ccc', '--co--c'],
])('%s', (_name, looks, expected) => {
  const spell = new OneWaySpell();
  const sides = { c: 'caller', b: 'callee' } as const;
  const said = Array.from(looks, (letter) => {
    const from = letter === 'c' || letter === 'b' ? sides[letter] : undefined;
    const news = spell.look(from && { from, durationMs: 1_000 });
    if (news === undefined) return '-';
    return news === 'over' ? 'o' : news === 'caller' ? 'c' : 'b';
  });
  expect(said.join('')).toBe(expected);
});
