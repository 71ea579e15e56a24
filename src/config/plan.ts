/**
 * What a new configuration changes against the one in use: a comparison of two loaded files, by meaning and in the spelling
 * of the file. Values that are written otherwise and mean the same are no change.
 */
import type { Config } from './config.ts';
import { lintConfig, type LintFinding } from './lint.ts';
import type { ValidConfig } from './load.ts';
import {
  type ElementChange,
  elementChanges,
  reorderedSections,
  settingChanges,
} from './plan-elements.ts';
import type { KeyChange } from './plan-keys.ts';
import { type ParameterChange, parameterChanges } from './plan-legs.ts';
import { type RouteChanges, routeChanges } from './plan-routes.ts';

export interface ConfigPlan {
  /** False where only comments, order of keys or spelling differ. */
  readonly isChanged: boolean;
  readonly elements: readonly ElementChange[];
  readonly settings: readonly KeyChange[];
  /** Sections whose elements stand in another order. */
  readonly reordered: readonly string[];
  readonly routes: RouteChanges;
  readonly parameters: readonly ParameterChange[];
  readonly findings: {
    /** Of the linter about the new file that it has not about the old one. */
    readonly added: readonly LintFinding[];
    readonly gone: readonly LintFinding[];
  };
}

export function planConfig(old: ValidConfig, next: ValidConfig): ConfigPlan {
  const [before, after] = [lintConfig(old), lintConfig(next)];
  return {
    isChanged: meaningOf(old.config) !== meaningOf(next.config),
    elements: elementChanges(old, next),
    settings: settingChanges(old, next),
    reordered: reorderedSections(old.config, next.config),
    routes: routeChanges(old.config, next.config),
    parameters: parameterChanges(old.config, next.config),
    findings: { added: without(after, before), gone: without(before, after) },
  };
}

function meaningOf(config: Config): string {
  const { hash: _, ...rest } = config;
  return JSON.stringify(rest);
}

/** Lines move; what is said does not. */
function without(findings: readonly LintFinding[], others: readonly LintFinding[]): LintFinding[] {
  const known = new Set(others.map(({ code, message }) => `${code} ${message}`));
  return findings.filter(({ code, message }) => !known.has(`${code} ${message}`));
}
