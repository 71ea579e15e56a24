/** How the cases of the linter's rules are written down: texts that a rule must object to, and twins it must let pass. */
import { edited, SAMPLE } from './sample.ts';

export interface LintCase {
  /** Texts with the one line that the rule points to; 0 where nothing of it is written. */
  readonly finds: readonly (readonly [line: number, text: string])[];
  readonly passes: readonly string[];
}

export type LintCases = Readonly<Record<string, LintCase>>;

/** Places of the sample that cases add to. */
export const AGENT = 'address: 127.0.0.1:6080';
export const ACCESS = 'admit: anyone';
export const ACCESS_PORT = 'udp/127.0.0.1:6060';
export const CORE = 'tcp/127.0.0.1:6062 ]';
export const CORE_PORT = 'udp/127.0.0.1:6062';
export const ACCESS_MEDIA = 'address: 127.0.0.1, port-min: 20000';
export const CORE_MEDIA = 'address: 127.0.0.1, port-min: 21000';
export const TO_CARRIER = '{ from-realm: access, to: "*", next-hop: carrier }';
export const TO_URI = '{ from-realm: core, to: "*", next-hop: request-uri }';

export const ACCESS_OFF_LOOPBACK: readonly [string, string] = [ACCESS_PORT, 'udp/192.0.2.1:6060'];

/** The sample behind one more line: all its lines are one further down. */
export function behind(line: string, ...changes: readonly (readonly [string, string])[]): string {
  return `${line}\n${changes.length === 0 ? SAMPLE : edited(...changes)}`;
}

/** The sample with `keys` behind the place `at`. */
export function adding(at: string, keys: string): string {
  return edited([at, `${at}, ${keys}`]);
}

/** The sample with further policies at its end, the first of them on line 12. */
export function withPolicies(...policies: readonly string[]): string {
  return SAMPLE + policies.map((policy) => `  - ${policy}\n`).join('');
}
