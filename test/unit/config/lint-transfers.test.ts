import { expect, test } from 'vitest';
import { lintConfig } from '../../../src/config/lint.ts';
import { edited, validOf } from './sample.ts';

const ACCESS = 'admit: anyone';
const CORE = 'tcp/127.0.0.1:6062 ]';
const AGENT = 'address: 127.0.0.1:6080';

test.each<[where: string, parameters: string, codes: string[]]>([
  [ACCESS, 'refer: local', ['transfers-for-strangers@5']],
  [ACCESS, 'replaces: enabled', ['replaces-for-strangers@5']],
  [
    ACCESS,
    'refer: local, replaces: enabled',
    ['transfers-for-strangers@5', 'replaces-for-strangers@5'],
  ],
  [ACCESS, 'refer: relay, replaces: disabled', []],
  [CORE, 'refer: local, replaces: enabled', []],
  [AGENT, 'refer: local, replaces: enabled', []],
])('behind %s, %s: %j', (where, parameters, codes) => {
  const text = edited([where, `${where}, ${parameters}`]);

  const found = lintConfig(validOf(text)).map(({ code, line }) => `${code}@${line ?? '-'}`);

  expect(found).toEqual(codes);
});
