/** Every text of the linter's cases as a new configuration, against the sample and against each other. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ConfigPlan } from '../../../src/config/plan.ts';
import { planConfig } from '../../../src/config/plan.ts';
import type { ValidConfig } from '../../../src/config/load.ts';
import { DIGIT_CASES } from './lint-cases-digits.ts';
import { FEATURE_CASES } from './lint-cases-features.ts';
import { PORT_CASES } from './lint-cases-ports.ts';
import { ROUTE_CASES } from './lint-cases-routes.ts';
import { SAFETY_CASES } from './lint-cases-safety.ts';
import { validOf } from './sample.ts';

const TEXTS = [SAFETY_CASES, DIGIT_CASES, ROUTE_CASES, PORT_CASES, FEATURE_CASES].flatMap((cases) =>
  Object.values(cases).flatMap(({ finds, passes }) => [
    ...finds.map(([, text]) => text),
    ...passes,
  ]),
);
const loaded = new Map<string, ValidConfig>();

function configOf(text: string): ValidConfig {
  const known = loaded.get(text) ?? validOf(text);
  loaded.set(text, known);
  return known;
}

function isTold({ elements, settings, reordered, routes }: ConfigPlan): boolean {
  const { added, removed } = routes;
  return [elements, settings, reordered, added, removed].some((list) => list.length > 0);
}

function named({ elements }: ConfigPlan, type: string): string[] {
  return elements.filter((each) => each.type === type).map(({ name }) => name);
}

test('whatever changes is told, and nothing else', () => {
  const text = fc.constantFrom(...TEXTS);
  fc.assert(
    fc.property(text, text, (from, to) => {
      const plan = planConfig(configOf(from), configOf(to));
      expect(isTold(plan)).toBe(plan.isChanged);
    }),
    { numRuns: 40 },
  );
});

test('the way back removes what the way there adds', () => {
  const text = fc.constantFrom(...TEXTS);
  fc.assert(
    fc.property(text, text, (from, to) => {
      const there = planConfig(configOf(from), configOf(to));
      const back = planConfig(configOf(to), configOf(from));
      expect(named(back, 'removed')).toEqual(named(there, 'added'));
      expect(back.routes.removed).toEqual(there.routes.added);
      const swapped = back.parameters.map((each) => ({ ...each, from: each.to, to: each.from }));
      expect(new Set(swapped)).toEqual(new Set(there.parameters));
    }),
    { numRuns: 40 },
  );
});
