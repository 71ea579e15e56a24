import { describe, expect, test } from 'vitest';
import { DomainTable } from '../../../src/feature-keys/presentity.ts';
import { TargetPolicy } from '../../../src/feature-keys/target-policy.ts';
import type { TargetLists } from '../../../src/feature-keys/target-policy.ts';

const ACCOUNT = 'sip:2001@pbx.example';
const DOMAINS = new DomainTable({
  'pbx.example': ['192.0.2.10', '[2001:db8::1]'],
  'other.example': [],
});

function judge(target: string, lists: Partial<TargetLists> = {}) {
  return new TargetPolicy({ allow: [], deny: [], ...lists }, DOMAINS).judge(ACCOUNT, target);
}

describe('without lists a forward', () => {
  test.each([
    ['2424'],
    ['+15551230111'],
    ['sip:2001@elsewhere.example'],
    ['sip:2001@other.example'],
    ['sip:voicemail@pbx.example'],
    ['2002@pbx.example'],
    ['tel:+15551230111'],
    ['Müller'],
    ['sip:a&b<c@x.invalid;p="1"'],
    ['0112233'],
    ['1120'],
    ['sip:Alice@pbx.example'],
  ])('may go to %s', (target) => {
    expect(judge(target)).toBe('allowed');
  });

  test.each([
    ['2001'],
    [' 2001 '],
    ['20-01'],
    ['(20) 01'],
    ['2001@pbx.example'],
    ['sip:2001@pbx.example'],
    ['sips:2001@PBX.Example:5061;transport=tls'],
    ['sip:2001;x=y@pbx.example'],
    ['sip:2001@192.0.2.10:5070'],
    ['sip:2001@[2001:db8::1]'],
    ['sip:%32%30%30%31@pbx.example'],
    ['tel:2001'],
  ])('cannot go to the account itself: %s', (target) => {
    expect(judge(target)).toBe('target-self');
  });

  test.each([
    ['112'],
    ['911'],
    ['999'],
    ['+112'],
    ['1-1-2'],
    ['tel:911'],
    ['tel:911;phone-context=+1'],
    ['sip:911@carrier.example'],
    ['sip:%39%31%31@pbx.example'],
    ['911@pbx.example'],
    ['urn:service:sos'],
    ['URN:service:sos.fire'],
  ])('does not go to emergency services: %s', (target) => {
    expect(judge(target)).toBe('target-forbidden');
  });
});

/** [lists, target, verdict] */
const LISTED: [lists: Partial<TargetLists>, target: string, verdict: string][] = [
  [{ deny: ['^0900'] }, '0900123', 'target-forbidden'],
  [{ deny: ['^0900'] }, '0-900-123', 'target-forbidden'],
  [{ deny: ['^0900'] }, 'sip:0900123@carrier.example', 'target-forbidden'],
  [{ deny: ['^0900'] }, 'tel:0900-123', 'target-forbidden'],
  [{ deny: ['^0900'] }, '0800123', 'allowed'],
  [{ deny: ['^0900'] }, '112', 'target-forbidden'],
  [{ deny: ['@evil\\.example'] }, 'sip:1@evil.example', 'target-forbidden'],
  [{ allow: ['^2\\d{3}$'] }, '2424', 'allowed'],
  [{ allow: ['^2\\d{3}$'] }, '24-24', 'allowed'],
  [{ allow: ['^2\\d{3}$'] }, 'sip:2424@pbx.example', 'allowed'],
  [{ allow: ['^2\\d{3}$'] }, 'sip:2424@192.0.2.10', 'allowed'],
  [{ allow: ['^2\\d{3}$'] }, 'sip:2424@evil.example', 'target-forbidden'],
  [{ allow: ['^2\\d{3}$'] }, '3424', 'target-forbidden'],
  [{ allow: ['^2\\d{3}$'] }, '2001', 'target-self'],
  [{ allow: ['@partner\\.example$'] }, 'sip:2424@partner.example', 'allowed'],
  [{ allow: ['.'] }, '112', 'target-forbidden'],
  [{ allow: ['^110$'] }, '110', 'allowed'],
  [{ allow: ['^110$'] }, '112', 'target-forbidden'],
  [{ allow: ['^2'], deny: ['^29'] }, '2929', 'target-forbidden'],
];

describe('the lists of the configuration', () => {
  test.each(LISTED)('%j: %s is %s', (lists, target, verdict) => {
    expect(judge(target, lists)).toBe(verdict);
  });

  test('a target must have a way through the dial plan', () => {
    const routed = new TargetPolicy(
      { allow: [], deny: [] },
      DOMAINS,
      (account, uri) => account === ACCOUNT && uri === 'sip:2424@pbx.example',
    );
    expect(routed.judge(ACCOUNT, '24 24')).toBe('allowed');
    expect(routed.judge(ACCOUNT, '2425')).toBe('no-route');
    expect(routed.judge(ACCOUNT, '112')).toBe('target-forbidden');
  });
});
