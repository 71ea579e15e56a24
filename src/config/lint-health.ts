/** Rules about agents that die, and who notices. */
import type { Config } from './config.ts';
import { formatDuration } from './duration.ts';
import { detectionMs } from './lint-admission.ts';
import type { LintRule, RuleFinding } from './lint.ts';

/** Longer than this a dead carrier should not get calls. */
const LONGEST_DETECTION_MS = 300_000;

function slowDetection(config: Config): RuleFinding[] {
  return config.sessionAgents.flatMap(({ name, optionsPing: ping }, index): RuleFinding[] => {
    if (ping === undefined || detectionMs(ping) <= LONGEST_DETECTION_MS) return [];
    const message = `it takes up to ${formatDuration(detectionMs(ping))} until "${name}" is known to be dead`;
    return [{ path: ['session-agents', index, 'options-ping'], message }];
  });
}

function hastyDetection(config: Config): RuleFinding[] {
  return config.sessionAgents.flatMap(({ name, optionsPing: ping }, index): RuleFinding[] => {
    if (ping === undefined || ping.downAfter > 1) return [];
    const message = `one lost answer takes "${name}" out of service`;
    return [{ path: ['session-agents', index, 'options-ping', 'down-after'], message }];
  });
}

function shortenedTimeouts(config: Config): RuleFinding[] {
  return config.sessionAgents.flatMap(({ name, optionsPing: ping }, index): RuleFinding[] => {
    if (ping?.shortenedFromMs === undefined) return [];
    const [wanted, real] = [formatDuration(ping.shortenedFromMs), formatDuration(ping.timeoutMs)];
    const message = `"${name}" is given ${real} to answer, not ${wanted}: it is asked every ${formatDuration(ping.intervalMs)}`;
    return [{ path: ['session-agents', index, 'options-ping', 'timeout'], message }];
  });
}

function membersWithoutPing(config: Config): RuleFinding[] {
  const places = new Map(
    config.sessionAgents.flatMap(({ name, optionsPing }, place) =>
      optionsPing === undefined ? [[name, place] as const] : [],
    ),
  );
  return config.sessionGroups.flatMap(({ name, members }, index): RuleFinding[] => {
    const unwatched = [...new Set(members)]
      .map((member) => ({ member, place: places.get(member) ?? -1 }))
      .filter(({ place }) => place >= 0)
      .toSorted((a, b) => a.place - b.place);
    if (members.length < 2 || unwatched.length === 0) return [];
    const names = unwatched.map(({ member }) => `"${member}"`).join(', ');
    const message = `nobody asks whether ${names} of group "${name}" is alive`;
    return [{ path: ['session-groups', index, 'members'], message }];
  });
}

/** Policies that send the calls of an agent to that agent. */
function routesBack(config: Config): RuleFinding[] {
  const found = new Map<number, RuleFinding>();
  const groups = new Map(config.sessionGroups.map(({ name, members }) => [name, members]));
  for (const { place, fromAgent, nextHop } of config.localPolicies) {
    if (fromAgent === undefined) continue;
    const members = groups.get(nextHop) ?? [nextHop];
    if (!members.every((name) => name === fromAgent)) continue;
    const message = `calls of agent "${fromAgent}" go back to it`;
    found.set(place, { path: ['local-policies', place, 'next-hop'], message });
  }
  return [...found.values(), ...methodsBack(config)];
}

function methodsBack({ sessionAgents }: Config): RuleFinding[] {
  return sessionAgents.flatMap(({ name, methods = {} }, index) =>
    Object.entries(methods).flatMap(([method, target]): RuleFinding[] => {
      if (target !== name) return [];
      const message = `${method} of agent "${name}" goes back to it`;
      return [{ path: ['session-agents', index, 'methods', method.toLowerCase()], message }];
    }),
  );
}

function unguarded({ admission: { overload } }: Config): RuleFinding[] {
  if (overload.lag.highMs > 0 || overload.cpu.highPercent > 0) return [];
  const message = 'new calls are taken however busy the machine is';
  return [{ path: ['admission', 'overload'], message }];
}

export const HEALTH_RULES: readonly LintRule[] = [
  {
    code: 'slow-detection',
    severity: 'warning',
    explanation:
      'Until then calls are sent to it and wait for its silence. Ping more often, or lower down-after.',
    find: slowDetection,
  },
  {
    code: 'shortened-timeout',
    severity: 'warning',
    explanation:
      'The verdict on one OPTIONS comes before the next: timeout is at most four fifths of interval. Write a shorter timeout, or ping less often.',
    find: shortenedTimeouts,
  },
  {
    code: 'hasty-detection',
    severity: 'info',
    explanation: 'Datagrams get lost. Use down-after: 2 or more unless the way is reliable.',
    find: hastyDetection,
  },
  {
    code: 'group-without-ping',
    severity: 'info',
    explanation:
      'A dead member is found only by calls that wait for it. Give it options-ping, if it answers OPTIONS.',
    find: membersWithoutPing,
  },
  {
    code: 'route-back',
    severity: 'warning',
    explanation:
      'Such a request may go round until Max-Forwards ends it. Correct the next-hop of the policy, or the method.',
    find: routesBack,
  },
  {
    code: 'overload-unguarded',
    severity: 'info',
    explanation:
      'When it is too busy every call suffers, not only new ones. Leave lag-high or cpu-high at their defaults.',
    find: unguarded,
  },
];
