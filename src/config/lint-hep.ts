/** Rules about capture. */
import { isLoopback } from './address.ts';
import type { Config } from './config.ts';
import type { LintRule, RuleFinding } from './lint.ts';

function plainCapture({ hep }: Config): RuleFinding[] {
  if (hep.server === undefined || isLoopback(hep.server.host)) return [];
  const what = hep.password === '' ? 'calls go' : 'calls and the capture password go';
  return [{ path: ['hep', 'server'], message: `${what} to ${hep.server.host} in plain text` }];
}

function emptyCapture({ hep }: Config): RuleFinding[] {
  const isEmpty = !hep.sendsSip && !hep.sendsDecisions && !hep.sendsDigits;
  if (hep.server === undefined || !isEmpty) return [];
  return [
    { path: ['hep', 'server'], message: 'nothing is sent: sip, decisions, digits are false' },
  ];
}

export const HEP_RULES: readonly LintRule[] = [
  {
    code: 'hep-plain',
    severity: 'info',
    explanation:
      'HEP knows no encryption: numbers, addresses and SDP can be read on the way. Keep it in a network of your own.',
    find: plainCapture,
  },
  {
    code: 'hep-empty',
    severity: 'warning',
    explanation: 'A capture server is named, yet everything that could go there is switched off.',
    find: emptyCapture,
  },
];
