import { expect, test } from 'vitest';
import { lintConfig } from '../../../src/config/lint.ts';
import { edited, validOf } from './sample.ts';

const UNROUTED = ['next-hop: carrier', 'next-hop: request-uri'] as const;
const GROUP = 'session-groups: [ { name: all, members: [ carrier ] } ]\nlocal-policies:';

function codesOf(...changes: (readonly [string, string])[]): string[] {
  return lintConfig(validOf(edited(UNROUTED, ...changes))).map(({ code }) => code);
}

function relaying(target: string): readonly [string, string] {
  return ['admit: anyone', `admit: anyone, methods: { register: ${target} }`];
}

test('an agent or group that only gets requests outside calls is used', () => {
  expect(codesOf()).toContain('unused-next-hop');
  expect(codesOf(relaying('reject'))).toContain('unused-next-hop');
  expect(codesOf(relaying('carrier'))).not.toContain('unused-next-hop');
  expect(codesOf(['local-policies:', GROUP])).toContain('unused-next-hop');
  expect(codesOf(['local-policies:', GROUP], relaying('all'))).not.toContain('unused-next-hop');
});
