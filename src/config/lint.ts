/**
 * Judges the meaning of a configuration that is valid in form: what will not work, what is dangerous, what has no effect.
 * Each rule is one function, pure but for those of lint-tls.ts and lint-feature-store.ts; the tables in lint-*.ts are the list of rules.
 */
import type { Config } from './config.ts';
import { ADMISSION_RULES } from './lint-admission.ts';
import { DTMF_RULES } from './lint-dtmf.ts';
import { FEATURE_KEY_RULES } from './lint-feature-keys.ts';
import { FEATURE_STORE_RULES } from './lint-feature-store.ts';
import { HEADER_LINT_RULES } from './lint-headers.ts';
import { HEP_RULES } from './lint-hep.ts';
import { MEDIA_RULES } from './lint-media.ts';
import { NETWORK_RULES } from './lint-networks.ts';
import { POLICY_RULES } from './lint-policies.ts';
import { ROUTING_RULES } from './lint-routing.ts';
import { SAFETY_RULES } from './lint-safety.ts';
import { SESSION_TIMER_RULES } from './lint-session-timer.ts';
import { SIP_INFO_RULES } from './lint-sip-info.ts';
import { SPELLING_RULES } from './lint-spellings.ts';
import { TLS_RULES } from './lint-tls.ts';
import { TRANSFER_RULES } from './lint-transfers.ts';
import { TRANSLATION_RULES } from './lint-translations.ts';
import { ADDRESS_RULES } from './lint-addresses.ts';
import { CAPACITY_RULES } from './lint-capacity.ts';
import { EXPOSURE_RULES } from './lint-exposure.ts';
import { HEALTH_RULES } from './lint-health.ts';
import { IDLE_KEY_RULES } from './lint-idle-keys.ts';
import type { LoadedConfig } from './load.ts';
import type { Path } from './problem.ts';

export type Severity = 'error' | 'warning' | 'info';

/** What a rule reports; `path` leads to the line. */
export interface RuleFinding {
  readonly path: Path;
  readonly message: string;
}

export interface LintRule {
  /** Stable name, for people and for scripts. */
  readonly code: string;
  /** `info` is worth knowing and fails no check. */
  readonly severity: Severity;
  /** Why it matters and what to do about it. */
  readonly explanation: string;
  readonly find: (config: Config, source: LintSource) => readonly RuleFinding[];
}

/** What rules may know about the text itself. */
export interface LintSource {
  /** Places where a scalar without quotes looks like a number to other YAML programs. */
  readonly bareNumbers: readonly Path[];
}

export interface LintFinding {
  readonly code: string;
  readonly severity: Severity;
  /** 1-based; absent when the finding is about something that is not written in the file. */
  readonly line?: number;
  /** 1-based; there where `line` is. */
  readonly column?: number;
  readonly message: string;
  readonly explanation: string;
}

export const LINT_RULES: readonly LintRule[] = [
  ...SAFETY_RULES,
  ...EXPOSURE_RULES,
  ...ADMISSION_RULES,
  ...HEALTH_RULES,
  ...NETWORK_RULES,
  ...ADDRESS_RULES,
  ...POLICY_RULES,
  ...TRANSLATION_RULES,
  ...SPELLING_RULES,
  ...ROUTING_RULES,
  ...CAPACITY_RULES,
  ...MEDIA_RULES,
  ...DTMF_RULES,
  ...SIP_INFO_RULES,
  ...SESSION_TIMER_RULES,
  ...TLS_RULES,
  ...HEADER_LINT_RULES,
  ...TRANSFER_RULES,
  ...FEATURE_KEY_RULES,
  ...FEATURE_STORE_RULES,
  ...IDLE_KEY_RULES,
  ...HEP_RULES,
];

/** All findings in the order of the file. */
export function lintConfig(loaded: Extract<LoadedConfig, { type: 'config' }>): LintFinding[] {
  const findings = LINT_RULES.flatMap((rule) =>
    rule.find(loaded.config, loaded).map((found): LintFinding => {
      const { code, severity, explanation } = rule;
      return { code, severity, ...loaded.placeOf(found.path), message: found.message, explanation };
    }),
  );
  return findings.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0));
}
