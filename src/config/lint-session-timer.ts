/** Rules about session timers. */
import type { Config } from './config.ts';
import { type LegKind, legKinds } from './leg-kinds.ts';
import type { LintRule, RuleFinding } from './lint.ts';

/** The least that a session interval may be (RFC 4028 §4). */
const RFC_MIN_SE = 90;

type Key = 'minSeSeconds' | 'sessionExpiresSeconds';

/** The legs at whose own place, agent or interface, one of `keys` counts. */
function kindsSetting(config: Config, keys: readonly Key[]): LegKind[] {
  return legKinds(config).filter(
    ({ agent, sipInterface }) =>
      agent === undefined ||
      keys.some((key) => agent.leg[key] !== undefined && agent.leg[key] !== sipInterface.leg[key]),
  );
}

function shortMinimum(config: Config): RuleFinding[] {
  return kindsSetting(config, ['minSeSeconds']).flatMap((kind): RuleFinding[] => {
    const { value } = kind.settings.minSeSeconds;
    if (value >= RFC_MIN_SE) return [];
    return [{ path: [...kind.path, 'min-se'], message: `${kind.label} has min-se ${value}` }];
  });
}

function intervalBelowMinimum(config: Config): RuleFinding[] {
  const keys = ['minSeSeconds', 'sessionExpiresSeconds'] as const;
  return kindsSetting(config, keys).flatMap((kind): RuleFinding[] => {
    const { sessionExpiresSeconds, minSeSeconds } = kind.settings;
    if (sessionExpiresSeconds.value >= minSeSeconds.value) return [];
    const message = `${kind.label} has session-expires ${sessionExpiresSeconds.value} below min-se ${minSeSeconds.value}`;
    const isOwn = kind.agent === undefined || kind.agent.leg.sessionExpiresSeconds !== undefined;
    return [{ path: [...kind.path, isOwn ? 'session-expires' : 'min-se'], message }];
  });
}

function vanishedPeers(config: Config): RuleFinding[] {
  return legKinds(config).flatMap((kind): RuleFinding[] => {
    const own = (kind.agent ?? kind.sipInterface).leg;
    const { sessionTimer, dialogPingSeconds } = kind.settings;
    if (own.sessionTimer === undefined && own.dialogPingSeconds === undefined) return [];
    if (sessionTimer.value !== 'disabled' || dialogPingSeconds.value > 0) return [];
    const key = own.sessionTimer === undefined ? 'dialog-ping' : 'session-timer';
    const message = `${kind.label} asks no peer whether it still has its call`;
    return [{ path: [...kind.path, key], message }];
  });
}

export const SESSION_TIMER_RULES: readonly LintRule[] = [
  {
    code: 'min-se-below-90',
    severity: 'warning',
    explanation:
      'RFC 4028 allows no less than 90 seconds: peers may load the SBC with refreshes, and some refuse such a call.',
    find: shortMinimum,
  },
  {
    code: 'session-expires-below-min-se',
    severity: 'warning',
    explanation: 'min-se counts in its place.',
    find: intervalBelowMinimum,
  },
  {
    code: 'vanished-peers',
    severity: 'info',
    explanation:
      'A call on hold whose peer is gone lives until hold-timeout. Leave session-timer or dialog-ping switched on.',
    find: vanishedPeers,
  },
];
