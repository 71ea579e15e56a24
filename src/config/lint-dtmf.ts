/** Rules about KPML, RFC 2833 and what digits need in order to cross. */
import type { Config } from './config.ts';
import { type LegKind, legKinds, legPairs } from './leg-pairs.ts';
import type { LintRule, RuleFinding } from './lint.ts';

/** The key that switched KPML on for the leg: the agent's own or the interface's. */
function ownsKpml(kind: LegKind): boolean {
  return kind.agent === undefined || kind.agent.leg.kpmlInterworking !== undefined;
}

function kpmlWithoutPreferred(config: Config): RuleFinding[] {
  const pairs = legPairs(config);
  return legKinds(config).flatMap((kind): RuleFinding[] => {
    if (!kind.settings.kpmlInterworking.value || !ownsKpml(kind)) return [];
    const others = pairs.flatMap(({ caller, callee }) => {
      if (isCovered(caller, kind)) return [callee];
      return isCovered(callee, kind) ? [caller] : [];
    });
    const isUseful = others.some(
      ({ settings }) =>
        settings.rfc2833Mode.value === 'preferred' ||
        settings.kpmlInterworking.value ||
        settings.sipInfo.value === 'send',
    );
    if (isUseful) return [];
    const message =
      others.length === 0
        ? `${kind.label} has kpml-interworking, but no route connects it with another leg`
        : `${kind.label} has kpml-interworking, but no leg it is connected with has rfc2833-mode preferred`;
    return [{ path: [...kind.path, 'kpml-interworking'], message }];
  });
}

/** Whether `leg` takes its KPML switch from `owner`: the same leg, or an agent that inherits from the interface. */
function isCovered(leg: LegKind, owner: LegKind): boolean {
  if (leg.label === owner.label) return true;
  return owner.agent === undefined && leg.sipInterface === owner.sipInterface && !ownsKpml(leg);
}

function dualWithKpml(config: Config): RuleFinding[] {
  const findings = legKinds(config).flatMap((kind): RuleFinding[] =>
    kind.settings.rfc2833Mode.value === 'dual' && kind.settings.kpmlInterworking.value
      ? [
          {
            path: [...kind.path, 'rfc2833-mode'],
            message: `${kind.label} has rfc2833-mode dual together with kpml-interworking`,
          },
        ]
      : [],
  );
  for (const { caller, callee } of legPairs(config)) {
    for (const [dual, other] of [
      [caller, callee],
      [callee, caller],
    ] as const) {
      if (dual.settings.rfc2833Mode.value !== 'dual' || dual.settings.kpmlInterworking.value) {
        continue;
      }
      if (!other.settings.kpmlInterworking.value) continue;
      const path = [...dual.path, 'rfc2833-mode'];
      const message = `${dual.label} has rfc2833-mode dual and is connected with ${other.label}, which has kpml-interworking`;
      if (!findings.some((found) => found.message === message)) findings.push({ path, message });
    }
  }
  return findings;
}

function hairpinWithoutKpml(config: Config): RuleFinding[] {
  return legKinds(config).flatMap((kind): RuleFinding[] => {
    const isSetHere = (kind.agent ?? kind.sipInterface).leg.kpmlOnHairpin !== undefined;
    const { kpmlOnHairpin, kpmlInterworking } = kind.settings;
    if (!isSetHere || !kpmlOnHairpin.value || kpmlInterworking.value) return [];
    const message = `${kind.label} has kpmlRFC2833-iwf-on-hairpin, but kpml-interworking is off there`;
    return [{ path: [...kind.path, 'kpmlRFC2833-iwf-on-hairpin'], message }];
  });
}

function usesKpml(config: Config): boolean {
  return legKinds(config).some((kind) => kind.settings.kpmlInterworking.value);
}

function rtpengineWithoutDigits(config: Config): RuleFinding[] {
  if (config.media.engine !== 'rtpengine' || !usesKpml(config)) return [];
  return config.media.rtpengine.flatMap((node, index) =>
    node.dtmfListen === undefined
      ? [
          {
            path: ['media', 'rtpengine', index],
            message: `rtpengine ${node.host} does not report digits, so none become KPML`,
          },
        ]
      : [],
  );
}

/** A way of moving packets that hands none of them to the relay cannot see key presses. */
function kernelPathWithKpml(config: Config): RuleFinding[] {
  if (config.media.engine !== 'relay' || config.media.io !== 'kernel' || !usesKpml(config)) {
    return [];
  }
  const message = 'io: kernel is fixed, although calls with KPML need the relay to see each event';
  return [{ path: ['media', 'io'], message }];
}

function drachtioInDialog(config: Config): RuleFinding[] {
  if (config.sip.engine !== 'drachtio') return [];
  return legKinds(config).flatMap((kind): RuleFinding[] => {
    const { kpmlInterworking, kpmlSubscription } = kind.settings;
    if (!kpmlInterworking.value || kpmlSubscription.value !== 'in-dialog') return [];
    const message = `${kind.label} uses in-dialog KPML subscriptions on a drachtio-server`;
    return [{ path: kind.path, message }];
  });
}

export const DTMF_RULES: readonly LintRule[] = [
  {
    code: 'kpml-without-preferred',
    severity: 'warning',
    explanation:
      'Digits cross only if the leg on the other side has telephone-event, which rfc2833-mode preferred provides.',
    find: kpmlWithoutPreferred,
  },
  {
    code: 'dual-with-kpml',
    severity: 'warning',
    explanation: 'A leg in dual mode takes part in no KPML translation. Use preferred.',
    find: dualWithKpml,
  },
  {
    code: 'hairpin-without-kpml',
    severity: 'warning',
    explanation:
      'The flag says which KPML subscriptions are honoured and does nothing where KPML is off.',
    find: hairpinWithoutKpml,
  },
  {
    code: 'rtpengine-without-digits',
    severity: 'warning',
    explanation: 'Set dtmf-listen on the node and --dtmf-log-dest on rtpengine.',
    find: rtpengineWithoutDigits,
  },
  {
    code: 'kernel-with-kpml',
    severity: 'warning',
    explanation:
      'Use io: auto, which takes the kernel path only for calls whose digits need no translation.',
    find: kernelPathWithKpml,
  },
  {
    code: 'drachtio-in-dialog',
    severity: 'info',
    explanation:
      'drachtio-server drops the dialog when a subscription ends in mid-call; kpml-subscription: separate avoids it.',
    find: drachtioInDialog,
  },
];
