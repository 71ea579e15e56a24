/** Rules about KPML, RFC 2833 and what digits need in order to cross. */
import type { Config } from './config.ts';
import { coveredBy } from './leg-cover.ts';
import { type LegKind, legKinds } from './leg-kinds.ts';
import { met } from './leg-meetings.ts';
import type { LintRule, RuleFinding } from './lint.ts';

/** The key that switched KPML on for the leg: the agent's own or the interface's. */
function ownsKpml(kind: LegKind): boolean {
  return kind.agent === undefined || kind.agent.leg.kpmlInterworking !== undefined;
}

/** Whether digits that KPML reads can go on to the leg. */
function takesDigits({ settings }: LegKind): boolean {
  return (
    settings.rfc2833Mode.value === 'preferred' ||
    settings.kpmlInterworking.value ||
    settings.sipInfo.value === 'send'
  );
}

function kpmlWithoutPreferred(config: Config): RuleFinding[] {
  const others = met(config, { of: takesDigits, join: (one, other) => one || other });
  const covered = coveredBy(config, ownsKpml);
  return legKinds(config).flatMap((kind): RuleFinding[] => {
    if (!kind.settings.kpmlInterworking.value || !ownsKpml(kind)) return [];
    const found = covered(kind).flatMap((leg) => others.get(leg) ?? []);
    if (found.includes(true)) return [];
    const message =
      found.length === 0
        ? `${kind.label} has kpml-interworking, but no route connects it with another leg`
        : `${kind.label} has kpml-interworking, but no leg it is connected with has rfc2833-mode preferred`;
    return [{ path: [...kind.path, 'kpml-interworking'], message }];
  });
}

/** So many legs are named one by one; nobody reads more of them. */
const NAMED_LEGS = 20;

function dualWithKpml(config: Config): RuleFinding[] {
  const others = met(config, { of: kpmlLegs, join: someOfBoth });
  return legKinds(config).flatMap((kind): RuleFinding[] => {
    if (kind.settings.rfc2833Mode.value !== 'dual') return [];
    const path = [...kind.path, 'rfc2833-mode'];
    const dual = `${kind.label} has rfc2833-mode dual`;
    if (kind.settings.kpmlInterworking.value) {
      return [{ path, message: `${dual} together with kpml-interworking` }];
    }
    return (others.get(kind) ?? []).map(({ label }, index) => {
      const which =
        index < NAMED_LEGS
          ? `${label}, which has kpml-interworking`
          : 'further legs that have kpml-interworking';
      return { path, message: `${dual} and is connected with ${which}` };
    });
  });
}

function kpmlLegs(kind: LegKind): readonly LegKind[] | undefined {
  return kind.settings.kpmlInterworking.value ? [kind] : undefined;
}

/** One more than are named. */
function someOfBoth(one: readonly LegKind[], other: readonly LegKind[]): readonly LegKind[] {
  if (one === other || one.length > NAMED_LEGS) return one;
  return [...new Set([...one, ...other])].slice(0, NAMED_LEGS + 1);
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

/** Whether keys in RTP are to leave by another method, so that somebody has to read them there. */
function readsKeys(config: Config): boolean {
  return legKinds(config).some(
    ({ settings }) => settings.kpmlInterworking.value || settings.sipInfo.value === 'send',
  );
}

function rtpengineWithoutDigits(config: Config): RuleFinding[] {
  if (config.media.engine !== 'rtpengine' || !readsKeys(config)) return [];
  return config.media.rtpengine.flatMap((node, index) =>
    node.dtmfListen === undefined
      ? [
          {
            path: ['media', 'rtpengine', index],
            message: `rtpengine ${node.host} does not report digits, so none become KPML or INFO`,
          },
        ]
      : [],
  );
}

/** A way of moving packets that hands none of them to the relay cannot see key presses. */
function kernelPathWithKpml(config: Config): RuleFinding[] {
  if (config.media.engine !== 'relay' || config.media.io !== 'kernel' || !readsKeys(config)) {
    return [];
  }
  const message =
    'io: kernel is fixed, although calls with KPML or INFO need the relay to see each event';
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
