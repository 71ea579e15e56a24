import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { checkConfig, explainRule, listRules } from '../../../src/cli/check.ts';
import { LINT_RULES } from '../../../src/config/lint.ts';
import { loadConfigFile } from '../../../src/config/load-file.ts';
import { edited, load, SAMPLE } from '../config/sample.ts';

test('a good file', () => {
  expect(checkConfig(load(SAMPLE))).toMatchObject({
    exitCode: 0,
    text: 'sbc.yaml: valid, 0 errors, 0 warnings, 0 notes\n',
    json: { file: 'sbc.yaml', isValid: true, problems: [], findings: [] },
  });
});

test('the example, which shows every key', () => {
  const file = fileURLToPath(new URL('../../../config/sbc.example.yaml', import.meta.url));
  const { exitCode, text } = checkConfig(loadConfigFile(file, {}));
  expect(text).toContain('valid, 0 errors, 0 warnings');
  expect(exitCode).toBe(0);
});

test('a note is no failure', () => {
  const text = edited(['address: 127.0.0.1:6080', 'address: sip.example']);
  expect(checkConfig(load(text))).toMatchObject({
    exitCode: 0,
    text: expect.stringMatching(
      /^sbc\.yaml:8:35: info agent-host-name: .*\n {4}\S.*\nsbc\.yaml: valid, 0 errors, 0 warnings, 1 note\n$/,
    ),
  });
});

test('a note fails the strict', () => {
  const text = edited(['address: 127.0.0.1:6080', 'address: sip.example']);
  expect(checkConfig(load(text), true)).toMatchObject({ exitCode: 1 });
  expect(checkConfig(load(SAMPLE), true)).toMatchObject({ exitCode: 0 });
});

test('a rule is explained by its code', () => {
  expect(explainRule('open-api')).toMatchObject({
    exitCode: 0,
    text: expect.stringMatching(/^open-api \(error\): .* fails the check\n {4}Anyone .*\.\n$/),
    json: { code: 'open-api', severity: 'error' },
  });
});

test.each([
  ['open-apy', 'did you mean "open-api"?'],
  ['nothing-like-it', 'see: tonebridge check --list'],
])('%s is no rule', (code, hint) => {
  const errorText = `there is no rule "${code}" (${hint})\n`;
  expect(explainRule(code)).toMatchObject({ exitCode: 2, errorText });
});

test('all rules are listed, in order', () => {
  const { text, json } = listRules();
  const codes = LINT_RULES.map(({ code }) => code).toSorted();
  expect(json).toEqual(codes.map((code) => expect.objectContaining({ code })));
  const first = text.split('\n').slice(1, -1);
  expect(first.map((line) => line.split(' ', 1)[0])).toEqual(codes);
});

test('a warning is a finding', () => {
  const text = edited(['admit: anyone', 'admit: anyone, kpml-interworking: enabled']);
  expect(checkConfig(load(text))).toMatchObject({
    exitCode: 1,
    text: expect.stringMatching(/^sbc\.yaml:5:\d+: warning kpml-without-preferred: /),
    json: { isValid: true, findings: [{ code: 'kpml-without-preferred', line: 5, column: 86 }] },
  });
});

test('an invalid file', () => {
  const text = edited(['admit: anyone', 'admitt: anyone']);
  expect(checkConfig(load(text))).toMatchObject({
    exitCode: 1,
    text: 'sbc.yaml:5:71: sip-interfaces[0].admitt: unknown key "admitt" (did you mean "admit"?)\nsbc.yaml: not valid, 1 problem\n',
    json: {
      isValid: false,
      problems: [{ line: 5, column: 71, suggestion: 'did you mean "admit"?' }],
    },
  });
});
