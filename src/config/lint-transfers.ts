/** Rules about REFER and Replaces: who may move calls that others pay for, or take them over. */
import type { Config } from './config.ts';
import type { LintRule, RuleFinding } from './lint.ts';

function strangersOn(
  config: Config,
  key: 'refer' | 'replaces',
  value: 'local' | true,
): RuleFinding[] {
  return config.sipInterfaces.flatMap(({ name, admit, leg }, index) => {
    if (admit !== 'anyone' || leg[key] !== value) return [];
    const what =
      key === 'refer'
        ? 'lets whoever is in a call have the SBC call any number'
        : 'lets whoever knows its Call-ID and tags take over a side of a call';
    return [{ path: ['sip-interfaces', index, key], message: `interface "${name}" ${what}` }];
  });
}

export const TRANSFER_RULES: readonly LintRule[] = [
  {
    code: 'transfers-for-strangers',
    severity: 'warning',
    explanation:
      'With refer: local a REFER makes the SBC place a call in the name of the other party, routed as if that party had dialled. Set it on the session agents that are to transfer calls, or bar numbers by local policies.',
    find: (config) => strangersOn(config, 'refer', 'local'),
  },
  {
    code: 'replaces-for-strangers',
    severity: 'warning',
    explanation:
      'An INVITE with Replaces needs nothing but the names of a dialog, which every proxy on its way has seen. Set replaces: enabled on session agents, or admit: agents on the interface.',
    find: (config) => strangersOn(config, 'replaces', true),
  },
];
