/** Configuration text of an SBC on loopback: phones on the interface `access`, a carrier on the interface `core`. */

import { readEnvironment } from '../../src/config/environment.ts';
import { freePortRange, freePorts, type PortRange } from './free-ports.ts';
import type { SipTarget } from './sip-peer.ts';

/** Leg parameters as the YAML spells them, such as `rfc2833-mode: preferred`. */
export type LegParameters = Readonly<Record<string, string>>;

export interface LoopbackOptions {
  /** Address of the session agent `carrier` in realm core; calls from access go there. */
  readonly carrier: SipTarget;
  /** Address of the session agent `phone` in realm access; calls from core go there. Absent: they have no route. */
  readonly phone?: SipTarget;
  readonly transport?: 'udp' | 'tcp';
  readonly access?: LegParameters;
  readonly core?: LegParameters;
  readonly carrierLeg?: LegParameters;
  readonly phoneLeg?: LegParameters;
  /** Address of the interface `access`, default `127.0.0.1`. */
  readonly host?: string;
  /** Address of the interface `core`, default the same. */
  readonly coreHost?: string;
  /** Ports per realm, default 80 (20 calls). */
  readonly mediaPorts?: number;
  /** Ports that are known to be free, half of them for each realm, in place of `mediaPorts`. */
  readonly mediaRange?: PortRange;
  readonly cdrFile?: string;
  readonly logLevel?: string;
}

export interface LoopbackConfig {
  readonly yaml: string;
  /** Where phones send their requests. */
  readonly access: SipTarget;
  /** Where the carrier sends its requests. */
  readonly core: SipTarget;
  readonly api: SipTarget;
}

/** The whole test suite may be run with another way of moving packets. */
const IO = readEnvironment()['SBC_TEST_IO'] ?? 'auto';

const ACCESS_LEG: LegParameters = { 'kpml-interworking': 'enabled', 'rfc2833-mode': 'transparent' };
const CORE_LEG: LegParameters = { 'rfc2833-mode': 'preferred' };

/** Picks free ports and writes the text. */
export async function loopbackConfig(options: LoopbackOptions): Promise<LoopbackConfig> {
  const address = options.host ?? '127.0.0.1';
  const count = 2 * (options.mediaPorts ?? 80);
  // One run for both realms, so that they cannot overlap; before the single ports, which might leave no room for it.
  const range = options.mediaRange ?? (await freePortRange(count, { address }));
  const [accessPort = 0, corePort = 0, apiPort = 0] = await freePorts(3, address, range);
  const split = (range.first + range.last + 1) / 2;
  const access = { address, port: accessPort };
  const core = { address: options.coreHost ?? address, port: corePort };
  const lines = [
    'sip: { engine: embedded }',
    `media: { workers: 1, port-quarantine: 0s, io: ${IO} }`,
    'realms:',
    realmLine('access', address, [range.first, split - 1]),
    realmLine('core', core.address, [split, range.last]),
    'sip-interfaces:',
    ...interfaceLines('access', access, { ...ACCESS_LEG, ...options.access }),
    ...interfaceLines('core', core, { ...CORE_LEG, ...options.core }),
    'session-agents:',
    ...agentLines('carrier', 'core', options.carrier, options, options.carrierLeg),
    ...(options.phone === undefined
      ? []
      : agentLines('phone', 'access', options.phone, options, options.phoneLeg)),
    'local-policies:',
    '  - { from-realm: access, to: "*", next-hop: carrier }',
    ...(options.phone === undefined ? [] : ['  - { from-realm: core, to: "*", next-hop: phone }']),
    // A busy test machine is no reason to refuse a call.
    'admission: { overload: { lag-high: 0, cpu-high: 0 } }',
    'dtmf: { mask-digits: false }',
    'feature-keys: { enabled: false }',
    `api: { listen: 127.0.0.1:${apiPort} }`,
    `cdr: { file: ${JSON.stringify(options.cdrFile ?? '')} }`,
    `log: { level: ${options.logLevel ?? 'error'} }`,
  ];
  const api = { address: '127.0.0.1', port: apiPort };
  return { yaml: `${lines.join('\n')}\n`, access, core, api };
}

function realmLine(name: string, address: string, ports: readonly [number, number]): string {
  const media = `address: "${address}", port-min: ${ports[0]}, port-max: ${ports[1]}`;
  return `  - { name: ${name}, media: { ${media} } }`;
}

function interfaceLines(name: string, at: SipTarget, leg: LegParameters): string[] {
  const host = inUri(at);
  return [
    `  - name: ${name}`,
    `    realm: ${name}`,
    `    sip-ports: [ "udp/${host}", "tcp/${host}" ]`,
    '    admit: anyone',
    ...parameterLines(leg),
  ];
}

function agentLines(
  name: string,
  realm: string,
  at: SipTarget,
  ...[options, leg]: [LoopbackOptions, LegParameters | undefined]
): string[] {
  return [
    `  - name: ${name}`,
    `    realm: ${realm}`,
    `    address: "${inUri(at)}"`,
    `    transport: ${options.transport ?? 'udp'}`,
    ...parameterLines(leg ?? {}),
  ];
}

function parameterLines(leg: LegParameters): string[] {
  return Object.entries(leg).map(([name, value]) => `    ${name}: ${value}`);
}

function inUri(at: SipTarget): string {
  return at.address.includes(':') ? `[${at.address}]:${at.port}` : `${at.address}:${at.port}`;
}
