import { expect, test } from 'vitest';
import { runDemoFeatures } from '../../src/cli/demo-features.ts';

test('the feature demo ends with phones and API in agreement after every step', async () => {
  let text = '';
  const code = await runDemoFeatures((part) => {
    text += part;
  });

  expect(text).toContain('PASSED');
  expect(text).not.toContain('DIFFERENT');
  expect(code).toBe(0);
});
