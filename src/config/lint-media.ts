/** Rules about the media engine: what it cannot do as the file stands, and keys that mean nothing to it. */
import { isIPv4 } from 'node:net';
import { isLoopback, isWildcard } from './address.ts';
import type { Config } from './config.ts';
import { LEAST_KERNEL_TIMEOUT_MS } from './kernel-timeout.ts';
import { legKinds } from './leg-kinds.ts';
import { LEG_PARAMETER_NAMES } from './leg-parameter-names.ts';
import type { LintRule, RuleFinding } from './lint.ts';

/** Whether the kernel path may see packets to this address of ours. */
function hasKernelPath(address: string): boolean {
  return isIPv4(address) && !isLoopback(address) && !isWildcard(address);
}

function kernelWithoutAddress({ media, realms }: Config): RuleFinding[] {
  if (media.engine !== 'relay' || media.io !== 'kernel') return [];
  return realms.flatMap((realm, index): RuleFinding[] => {
    if (hasKernelPath(realm.media.address)) return [];
    const message = `io: kernel is fixed, and media of realm "${realm.name}" never goes there`;
    return [{ path: ['realms', index, 'media', 'address'], message }];
  });
}

function kernelWithShortTimeout({ media }: Config): RuleFinding[] {
  if (media.engine !== 'relay' || media.io !== 'kernel') return [];
  if (media.inactivityTimeoutMs >= LEAST_KERNEL_TIMEOUT_MS) return [];
  const message = 'io: kernel is fixed, and no call goes there with so short an inactivity-timeout';
  return [{ path: ['media', 'inactivity-timeout'], message }];
}

function relayKeys({ media, realms }: Config): RuleFinding[] {
  if (media.engine !== 'rtpengine') return [];
  const found: RuleFinding[] = [];
  for (const [key, value] of Object.entries({ io: media.io, workers: media.workers })) {
    const message = `${key} says how our own relay works, not rtpengine`;
    if (value !== 'auto') found.push({ path: ['media', key], message });
  }
  for (const [index, realm] of realms.entries()) {
    const message = `rtpengine writes its own addresses into the SDP of realm "${realm.name}"`;
    if (realm.media.advertised === undefined) continue;
    found.push({ path: ['realms', index, 'media', 'advertised'], message });
  }
  return found;
}

function nodesTwice({ media }: Config): RuleFinding[] {
  const seen = new Set<string>();
  return media.rtpengine.flatMap(({ host, port }, index): RuleFinding[] => {
    const name = `${host}:${port}`;
    if (!seen.has(name)) {
      seen.add(name);
      return [];
    }
    return [{ path: ['media', 'rtpengine', index], message: `rtpengine ${name} is listed twice` }];
  });
}

function openReports({ media }: Config): RuleFinding[] {
  return media.rtpengine.flatMap(({ dtmfListen }, index): RuleFinding[] => {
    if (dtmfListen === undefined || !isWildcard(dtmfListen.address)) return [];
    const message = `digits are taken on every address of this machine (${dtmfListen.address})`;
    return [{ path: ['media', 'rtpengine', index, 'dtmf-listen'], message }];
  });
}

function unreachedReports({ media }: Config): RuleFinding[] {
  return media.rtpengine.flatMap(({ host, dtmfListen }, index): RuleFinding[] => {
    if (dtmfListen === undefined || !isLoopback(dtmfListen.address) || isLoopback(host)) return [];
    const message = `rtpengine ${host} is not on this machine and cannot report digits to ${dtmfListen.address}`;
    return [{ path: ['media', 'rtpengine', index, 'dtmf-listen'], message }];
  });
}

function learningNodes(config: Config): RuleFinding[] {
  if (config.media.engine !== 'rtpengine') return [];
  return legKinds(config).flatMap(({ agent, sipInterface, label, path }): RuleFinding[] => {
    if ((agent ?? sipInterface).leg.mediaSource !== 'learn-once') return [];
    const message = `${label} has media-source learn-once, which rtpengine carries out`;
    return [{ path: [...path, 'media-source'], message }];
  });
}

/** Of our own relay; rtpengine has neither of them. */
const RELAY_PARAMETERS = [
  'dtmfPacketIntervalMs',
  'dtmfRepairMovedEnd',
  'dtmfMergeWindowMs',
] as const;

/** The shortest tone that rtpengine plays. */
const SHORTEST_TONE_MS = 100;

function relayParameters(config: Config): RuleFinding[] {
  if (config.media.engine !== 'rtpengine') return [];
  return legKinds(config).flatMap(({ agent, sipInterface, label, path }): RuleFinding[] => {
    const { leg } = agent ?? sipInterface;
    const found = RELAY_PARAMETERS.filter((key) => leg[key] !== undefined).map((key) => {
      const name = LEG_PARAMETER_NAMES[key];
      return { path: [...path, name], message: `${label} has ${name}, which rtpengine has not` };
    });
    const { dtmfDurationMs } = leg;
    if (dtmfDurationMs === undefined || dtmfDurationMs >= SHORTEST_TONE_MS) return found;
    const message = `${label} has tones of ${dtmfDurationMs} ms; rtpengine plays ${SHORTEST_TONE_MS} ms at least`;
    return [...found, { path: [...path, LEG_PARAMETER_NAMES.dtmfDurationMs], message }];
  });
}

export const MEDIA_RULES: readonly LintRule[] = [
  {
    code: 'kernel-without-address',
    severity: 'warning',
    explanation:
      'The kernel path takes what comes to one IPv4 address of a network device. Loopback, IPv6 and wildcards go by ffi or dgram; name such an address, or use io: auto.',
    find: kernelWithoutAddress,
  },
  {
    code: 'kernel-with-short-timeout',
    severity: 'warning',
    explanation:
      'What the kernel forwards is counted about once a second: below 5s silence could not be told from that. Make inactivity-timeout at least 5s, or use io: auto.',
    find: kernelWithShortTimeout,
  },
  {
    code: 'relay-key-with-rtpengine',
    severity: 'info',
    explanation:
      'rtpengine has options of its own, such as --interface=REALM/ADDRESS!ADVERTISED. Remove the key.',
    find: relayKeys,
  },
  {
    code: 'rtpengine-twice',
    severity: 'error',
    explanation: 'Both would be the same server, with the same name in metrics. Remove one.',
    find: nodesTwice,
  },
  {
    code: 'dtmf-listen-open',
    severity: 'warning',
    explanation:
      'Reports of digits carry no proof of their sender. Name the one address that rtpengine reports to, loopback if it is on this machine.',
    find: openReports,
  },
  {
    code: 'dtmf-listen-unreached',
    severity: 'warning',
    explanation:
      'Name an address of this machine that the node can reach, and the same in its --dtmf-log-dest.',
    find: unreachedReports,
  },
  {
    code: 'relay-parameter-with-rtpengine',
    severity: 'info',
    explanation: 'Keys are read and played by rtpengine, in its own way. Remove the parameter.',
    find: relayParameters,
  },
  {
    code: 'rtpengine-learns',
    severity: 'warning',
    explanation:
      'An rtpengine before mr13.4.1.1 can be made to send the media to a stranger while it learns (CVE-2025-53399). Run a later one, or use media-source: sdp.',
    find: learningNodes,
  },
];
