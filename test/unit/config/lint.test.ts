import { expect, test } from 'vitest';
import { lintConfig, type LintFinding } from '../../../src/config/lint.ts';
import { edited, SAMPLE, validOf } from './sample.ts';

type Change = readonly [from: string, to: string];

function findingsOf(text: string): LintFinding[] {
  return lintConfig(validOf(text));
}

function codesOf(text: string): string[] {
  return findingsOf(text).map(({ code, line }) => `${code}@${line ?? '-'}`);
}

const AGENT = 'address: 127.0.0.1:6080';
const ACCESS = 'admit: anyone';
const CORE = 'tcp/127.0.0.1:6062 ]';
const KPML_ACCESS: Change = [ACCESS, `${ACCESS}, kpml-interworking: enabled`];

test('the sample has nothing to complain about', () => {
  expect(findingsOf(SAMPLE)).toEqual([]);
});

test('dual opposite a KPML leg is found on the dual leg', () => {
  const text = edited(KPML_ACCESS, [AGENT, `${AGENT}, rfc2833-mode: dual`]);
  expect(codesOf(text)).toEqual(['kpml-without-preferred@5', 'dual-with-kpml@8']);
});

test.each<[title: string, changes: Change[], codes: string[]]>([
  [
    'a leg with preferred on the other side',
    [
      [ACCESS, `${ACCESS}, sip-info: send`],
      [AGENT, `${AGENT}, rfc2833-mode: preferred`],
    ],
    [],
  ],
  [
    'a KPML leg on the other side',
    [
      [ACCESS, `${ACCESS}, sip-info: send`],
      [AGENT, `${AGENT}, kpml-interworking: enabled`],
    ],
    [],
  ],
  [
    'INFO on both sides',
    [
      [ACCESS, `${ACCESS}, sip-info: receive`],
      [AGENT, `${AGENT}, sip-info: send`],
    ],
    [],
  ],
  [
    'an agent that inherits it, opposite preferred',
    [
      [CORE, `${CORE}, sip-info: send`],
      [ACCESS, `${ACCESS}, rfc2833-mode: preferred`],
    ],
    [],
  ],
  [
    'telephone-event offered to the same leg',
    [
      [ACCESS, `${ACCESS}, rfc2833-mode: preferred`],
      [AGENT, `${AGENT}, sip-info: receive, rfc2833-mode: preferred`],
    ],
    ['sip-info-behind-events@8'],
  ],
  [
    'dual on the same leg',
    [
      [ACCESS, `${ACCESS}, rfc2833-mode: preferred`],
      [AGENT, `${AGENT}, sip-info: send, rfc2833-mode: dual`],
    ],
    ['dual-with-sip-info@8'],
  ],
])('sip-info with %s', (_, changes, codes) => {
  expect(codesOf(edited(...changes))).toEqual(codes);
});

test('what follows from defaults has no line', () => {
  const text = edited(['port-max: 20999', 'port-max: 20999 }'], ['20999 } }', '20999 }']);
  expect(codesOf(text)).toEqual([]);
  const open = findingsOf(`${SAMPLE}api: { listen: "[::]:8080" }\n`);
  expect(open[0]).toMatchObject({ code: 'open-api', severity: 'error', line: 12 });
});
