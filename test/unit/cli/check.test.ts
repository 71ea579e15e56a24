import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { checkConfig } from '../../../src/cli/check.ts';
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
      /^sbc\.yaml:8: info agent-host-name: .*\n {4}\S.*\nsbc\.yaml: valid, 0 errors, 0 warnings, 1 note\n$/,
    ),
  });
});

test('a warning is a finding', () => {
  const text = edited(['admit: anyone', 'admit: anyone, kpml-interworking: enabled']);
  expect(checkConfig(load(text))).toMatchObject({
    exitCode: 1,
    text: expect.stringMatching(/^sbc\.yaml:5: warning kpml-without-preferred: /),
    json: { isValid: true, findings: [{ code: 'kpml-without-preferred', line: 5 }] },
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
