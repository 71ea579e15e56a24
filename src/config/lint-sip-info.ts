/** Rules about digits in SIP INFO. */
import type { Config } from './config.ts';
import { coveredBy } from './leg-cover.ts';
import { type LegKind, legKinds } from './leg-kinds.ts';
import { met } from './leg-meetings.ts';
import type { LintRule, RuleFinding } from './lint.ts';

/** The legs on which sip-info is switched on at their own place: the agent's own or the interface's. */
function infoKinds(config: Config): LegKind[] {
  return legKinds(config).filter(
    (kind) => ownsInfo(kind) && kind.settings.sipInfo.value !== 'disabled',
  );
}

function ownsInfo(kind: LegKind): boolean {
  return kind.agent === undefined || kind.agent.leg.sipInfo !== undefined;
}

/** Whether digits that came in INFO can go on to the leg. */
function takesDigits({ settings }: LegKind): boolean {
  return (
    settings.rfc2833Mode.value === 'preferred' ||
    settings.kpmlInterworking.value ||
    settings.sipInfo.value !== 'disabled'
  );
}

function infoWithoutOtherMethod(config: Config): RuleFinding[] {
  const others = met(config, { of: takesDigits, join: (one, other) => one || other });
  const covered = coveredBy(config, ownsInfo);
  return infoKinds(config).flatMap((kind): RuleFinding[] => {
    const found = covered(kind).flatMap((leg) => others.get(leg) ?? []);
    if (found.includes(true)) return [];
    const message =
      found.length === 0
        ? `${kind.label} has sip-info, but no route connects it with another leg`
        : `${kind.label} has sip-info, but no leg it is connected with has rfc2833-mode preferred, kpml-interworking or sip-info`;
    return [{ path: [...kind.path, 'sip-info'], message }];
  });
}

function dualWithInfo(config: Config): RuleFinding[] {
  return legKinds(config).flatMap((kind): RuleFinding[] => {
    const { rfc2833Mode, sipInfo } = kind.settings;
    if (rfc2833Mode.value !== 'dual' || sipInfo.value !== 'send') return [];
    const message = `${kind.label} has rfc2833-mode dual together with sip-info send`;
    return [{ path: [...kind.path, 'rfc2833-mode'], message }];
  });
}

function infoBehindEvents(config: Config): RuleFinding[] {
  return infoKinds(config).flatMap((kind): RuleFinding[] => {
    if (kind.settings.rfc2833Mode.value !== 'preferred') return [];
    const message = `${kind.label} has sip-info ${kind.settings.sipInfo.value} behind rfc2833-mode preferred`;
    return [{ path: [...kind.path, 'sip-info'], message }];
  });
}

export const SIP_INFO_RULES: readonly LintRule[] = [
  {
    code: 'sip-info-without-sink',
    severity: 'warning',
    explanation: 'Where the other leg has no method to translate to, INFO is passed on as it is.',
    find: infoWithoutOtherMethod,
  },
  {
    code: 'dual-with-sip-info',
    severity: 'warning',
    explanation:
      'sip-info send is for a leg without telephone-event; no digit is sent both ways. Use transparent or preferred.',
    find: dualWithInfo,
  },
  {
    code: 'sip-info-behind-events',
    severity: 'info',
    explanation:
      'preferred offers telephone-event to the leg; where that is accepted, no digit comes or goes by INFO.',
    find: infoBehindEvents,
  },
];
