import { defineConfig } from 'oxlint';
import { roomOverrides } from './lint/rooms.ts';

export default defineConfig({
  plugins: ['typescript', 'unicorn', 'oxc', 'import', 'node', 'promise', 'vitest'],
  options: { typeAware: true },
  categories: { correctness: 'error', suspicious: 'error' },
  rules: {
    'import/no-cycle': 'error',
    'import/no-default-export': 'error',
    'import/no-named-as-default-member': 'off',
    'max-lines': ['error', { max: 300, skipBlankLines: true, skipComments: true }],
    'max-lines-per-function': ['error', { max: 60, skipBlankLines: true, skipComments: true }],
    'max-params': ['error', { max: 4 }],
    'no-console': 'error',
    'node/no-process-env': 'error',
    'typescript/no-explicit-any': 'error',
    'typescript/no-non-null-assertion': 'error',
    'typescript/no-floating-promises': 'error',
    'typescript/no-misused-promises': 'error',
    'typescript/switch-exhaustiveness-check': 'error',
    'typescript/only-throw-error': 'error',
  },
  overrides: [
    {
      files: ['vitest.config.ts', 'oxlint.config.ts'],
      rules: { 'import/no-default-export': 'off' },
    },
    { files: ['src/config/environment.ts'], rules: { 'node/no-process-env': 'off' } },
    {
      files: ['test/**', 'bench/**'],
      rules: { 'max-lines-per-function': 'off', 'no-console': 'off' },
    },
    ...roomOverrides(),
  ],
});
