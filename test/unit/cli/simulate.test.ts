import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { simulateFiles } from '../../../src/cli/simulate.ts';

const EXAMPLES = 'config/scenarios';
const CONFIG = join(EXAMPLES, 'config/sbc.yaml');

const folder = mkdtempSync(join(tmpdir(), 'tonebridge-simulate-'));
afterAll(() => rmSync(folder, { recursive: true }));

function scenarioFile(name: string, ...lines: readonly string[]): string {
  const file = join(folder, name);
  writeFileSync(file, `name: ${name}\n${lines.join('\n')}\n`);
  return file;
}

test('a scenario that comes out otherwise is told, with exit status 1', async () => {
  const file = scenarioFile(
    'wrong.yaml',
    'caller: { from-agent: phone-2833, to: "15551000" }',
    'callee: { answers: 486 after 1s }',
    'expect: { status: 200 }',
  );
  const { exitCode, text } = await simulateFiles([file], CONFIG, { brief: true });
  expect(text).toBe(`FAILED  ${file}: wrong.yaml\n  status: expected "200", got "486"\n`);
  expect(exitCode).toBe(1);
});

test('what cannot be played is told with its place, with exit status 2', async () => {
  const bad = scenarioFile('bad.yaml', 'caller: { from-agent: phone-2833, too: "1" }');
  const unfit = scenarioFile('unfit.yaml', 'caller: { from-agent: nobody-here, to: "1" }');
  const { exitCode, text } = await simulateFiles([bad, unfit, 'missing.yaml'], CONFIG);
  expect(text).toContain(`${bad}:2:35: caller.too: unknown key "too" (did you mean "to"?)`);
  expect(text).toContain(`${unfit}: "nobody-here" is no session agent of the configuration`);
  expect(text).toContain('missing.yaml:1:1: cannot be read');
  expect(exitCode).toBe(2);
});

test('the report shows the way of the call, the reasons, both sides, the keys and the ladder', async () => {
  const { text } = await simulateFiles([join(EXAMPLES, 'kpml-to-2833.yaml')]);
  const shown = [
    'tried     carrier-preferred at sip:203.0.113.21:5060: 200 OK',
    'kpml-interworking  enabled  session-agent phone-kpml',
    'digits caller to callee: kpml-to-2833 (row K1, rule R7, R8)',
    "\nWhat the callee receives\n  +  0.010  INVITE sip:15551000@203.0.113.21:5060   of the caller's\n",
    '    vanished  Allow-Events: kpml',
    '      + a=rtpmap:101 telephone-event/8000',
    '  4.000  caller  1    kpml        rtp         10 ms  rtp',
    '14 of 14 expectations met.',
  ];
  for (const part of shown) expect(text).toContain(part);
});
