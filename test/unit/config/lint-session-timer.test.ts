import { expect, test } from 'vitest';
import { lintConfig } from '../../../src/config/lint.ts';
import { edited, validOf } from './sample.ts';

const ACCESS = 'admit: anyone';
const CORE = 'tcp/127.0.0.1:6062 ]';
const AGENT = 'address: 127.0.0.1:6080';

/** The sample with further keys at the given places. */
function withKeys(...keys: readonly (readonly [place: string, keys: string])[]): string {
  return edited(...keys.map(([place, text]): [string, string] => [place, `${place}, ${text}`]));
}

test.each<[what: string, text: string, codes: readonly string[]]>([
  ['nothing written', withKeys(), []],
  ['90 seconds', withKeys([ACCESS, 'min-se: 90']), []],
  ['89 seconds', withKeys([ACCESS, 'min-se: 89s']), ['min-se-below-90']],
  ['an agent of its own', withKeys([AGENT, 'min-se: 30']), ['min-se-below-90']],
  ['an agent that inherits', withKeys([CORE, 'min-se: 30']), ['min-se-below-90']],
  [
    'less than the least',
    withKeys([CORE, 'session-expires: 60']),
    ['session-expires-below-min-se'],
  ],
  [
    'an agent with less',
    withKeys([AGENT, 'session-expires: 60']),
    ['session-expires-below-min-se'],
  ],
  ['an agent with more', withKeys([AGENT, 'min-se: 3600']), ['session-expires-below-min-se']],
  ['both raised', withKeys([AGENT, 'min-se: 3600, session-expires: 3600']), []],
])('%s', (_, text, codes) => {
  const found = lintConfig(validOf(text)).map(({ code }) => code);
  expect(found.filter((code) => /min-se/.test(code))).toEqual(codes);
});
