/** Rules about health checks, limits and who is let in. */
import { BlockList, isIP } from 'node:net';
import type { Config, OptionsPing } from './config.ts';
import { formatDuration } from './duration.ts';
import type { LintRule, RuleFinding } from './lint.ts';
import { addNetwork } from './values.ts';

/** Longest time from the last good answer until an agent is out: each interval may be a tenth longer. */
export function detectionMs({ intervalMs, downAfter, timeoutMs }: OptionsPing): number {
  return Math.round(intervalMs * downAfter * 1.1 + timeoutMs);
}

function detectionTimes(config: Config): RuleFinding[] {
  return config.sessionAgents.flatMap((agent, index): RuleFinding[] => {
    const { optionsPing: ping } = agent;
    if (ping === undefined) return [];
    const { intervalMs, downAfter, upAfter, timeoutMs } = ping;
    const out = `${downAfter} x ${formatDuration(intervalMs)} + ${formatDuration(timeoutMs)}`;
    const usualMs = downAfter * intervalMs + timeoutMs;
    const backMs = upAfter * intervalMs;
    const message =
      `"${agent.name}" is out of service ${formatDuration(usualMs)} after it fell silent (${out}), ` +
      `at most ${formatDuration(detectionMs(ping))}, and back within ${formatDuration(backMs)} of its return`;
    return [{ path: ['session-agents', index, 'options-ping'], message }];
  });
}

function overloadThresholds({ admission: { overload } }: Config): RuleFinding[] {
  const { lag, cpu } = overload;
  const path = ['admission', 'overload'];
  return [
    ...(lag.highMs > 0 && lag.lowMs > lag.highMs
      ? [{ path: [...path, 'lag-low'], message: 'lag-low is above lag-high' }]
      : []),
    ...(cpu.highPercent > 0 && cpu.lowPercent > cpu.highPercent
      ? [{ path: [...path, 'cpu-low'], message: 'cpu-low is above cpu-high' }]
      : []),
  ];
}

function deniedAgents(config: Config): RuleFinding[] {
  const agents = Map.groupBy(config.sessionAgents, ({ realm }) => realm);
  return config.sipInterfaces.flatMap(({ realm, deny }, index) => {
    if (deny.length === 0) return [];
    const denied = new BlockList();
    for (const text of deny) addNetwork(denied, text);
    return (agents.get(realm) ?? []).flatMap((agent): RuleFinding[] => {
      const version = isIP(agent.host);
      if (version === 0) return [];
      if (!denied.check(agent.host, version === 4 ? 'ipv4' : 'ipv6')) return [];
      const message = `requests from session agent "${agent.name}" are refused here`;
      return [{ path: ['sip-interfaces', index, 'deny'], message }];
    });
  });
}

function uselessFailoverCodes(config: Config): RuleFinding[] {
  return config.sessionGroups.flatMap(({ failoverCodes, members }, index) =>
    failoverCodes.length > 0 && members.length === 1
      ? [
          {
            path: ['session-groups', index, 'failover-codes'],
            message: 'there is no other member to fail over to',
          },
        ]
      : [],
  );
}

export const ADMISSION_RULES: readonly LintRule[] = [
  {
    code: 'detection-time',
    severity: 'info',
    explanation:
      'interval x down-after + timeout. Until then each call to a dead agent waits for its own failure.',
    find: detectionTimes,
  },
  {
    code: 'overload-thresholds',
    severity: 'warning',
    explanation: 'The guard would switch to and fro at every sample. Make the low one smaller.',
    find: overloadThresholds,
  },
  {
    code: 'denied-agent',
    severity: 'warning',
    explanation:
      'deny is looked at before session agents. Narrow the network, or remove the agent.',
    find: deniedAgents,
  },
  {
    code: 'failover-alone',
    severity: 'warning',
    explanation: 'The codes have no effect in a group of one.',
    find: uselessFailoverCodes,
  },
];
