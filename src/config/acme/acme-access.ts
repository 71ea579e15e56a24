/** allow-anonymous, addr-prefix and access-control -> `admit`, `allow` and `deny` of an interface. */
import { isIP } from 'node:net';
import type { AcmeParts } from './acme-parts.ts';
import type { ElementReader } from './acme-reader.ts';
import { entryOf } from './acme-value.ts';
import type { AcmeSource } from './acme-source.ts';
import type { YamlEntry } from './acme-yaml.ts';

/** allow-anonymous, from the most open to the strictest. */
const MODES = ['all', 'realm-prefix', 'register-prefix', 'registered', 'agents-only'] as const;
type Mode = (typeof MODES)[number];

/** Why what access-control permits is refused all the same: it lets packets in, allow-anonymous requests. */
const REFUSALS: Readonly<Record<string, string>> = {
  'agents-only': 'allow-anonymous agents-only admits session agents alone, there and here',
  'realm-prefix':
    'allow-anonymous realm-prefix admits session agents and addr-prefix alone, there and here',
};

interface Place {
  /** The realm. */
  readonly identifier: string;
  readonly ports: readonly ElementReader[];
}

/** access-control elements by realm. */
export class AccessControls {
  readonly #byRealm = new Map<string, ElementReader[]>();

  constructor(source: AcmeSource) {
    for (const reader of source.all('access-control')) {
      const realm = reader.text('realm-id').toLowerCase();
      const known = this.#byRealm.get(realm);
      if (known === undefined) this.#byRealm.set(realm, [reader]);
      else known.push(reader);
    }
  }

  /** Networks that are denied and permitted in a realm; `mode` is `allow-anonymous` of its ports. */
  take(
    identifier: string,
    mode: Mode,
  ): {
    readonly deny: readonly string[];
    readonly allow: readonly string[];
  } {
    const deny = new Set<string>();
    const allow = new Set<string>();
    for (const reader of this.#byRealm.get(identifier.toLowerCase()) ?? []) {
      const network = networkOf(reader.text('source-address'));
      const protocol = reader.text('application-protocol').toUpperCase();
      const access = reader.text('access').toLowerCase() || 'permit';
      if (
        network === undefined ||
        !['', 'SIP', 'ALL', 'NONE'].includes(protocol) ||
        !['permit', 'deny'].includes(access)
      ) {
        reader.loseWhole(
          'it is not about the sources of SIP requests',
          'set it in the firewall of this machine',
        );
        continue;
      }
      const refusal = access === 'permit' ? entryOf(REFUSALS, mode) : undefined;
      if (refusal !== undefined) {
        // Another interface of the realm may have carried it.
        if (!reader.isFinished) reader.loseWhole(refusal, 'nothing, or add it to `allow`');
        continue;
      }
      (access === 'deny' ? deny : allow).add(network);
      for (const name of ['realm-id', 'application-protocol', 'access']) reader.carry(name);
      const isExact =
        !reader.text('source-address').includes(':') || isIP(network.split('/')[0] ?? '') === 6;
      reader.carry('source-address', isExact ? undefined : 'for all ports');
      reader.ignore('transport-protocol', 'all transports of the interface');
      reader.carry('description', 'left out');
      reader.finish();
    }
    return { deny: [...deny], allow: [...allow] };
  }
}

export function accessOf(
  { access, realms }: AcmeParts,
  { identifier, ports }: Place,
): readonly YamlEntry[] {
  const config = realms.config(identifier);
  const prefix = networkOf(config?.text('addr-prefix') ?? '');
  const strictest = strictestOf(ports.map((port) => modeOf(port)));
  const isPrefixed = strictest === 'realm-prefix' && prefix !== undefined;
  const mode = strictest === 'realm-prefix' && !isPrefixed ? 'all' : strictest;
  const { deny, allow } = access.take(identifier, mode);
  for (const port of ports) judge(port, strictest);
  if (config !== undefined && prefix !== undefined) {
    if (isPrefixed) config.carry('addr-prefix', 'as `allow` of the sip-interface');
    else config.ignore('addr-prefix', 'counts only with allow-anonymous realm-prefix');
  }
  const isOpen = mode === 'all';
  const allowed = isPrefixed ? [prefix] : allow;
  return [
    { key: 'admit', value: isOpen ? 'anyone' : 'agents' },
    ...(allowed.length === 0 || isOpen ? [] : [{ key: 'allow', value: allowed }]),
    ...(deny.length === 0 ? [] : [{ key: 'deny', value: deny }]),
  ];
}

function modeOf(port: ElementReader): Mode {
  const text = port.text('allow-anonymous').toLowerCase();
  return MODES.find((mode) => mode === text) ?? (text === '' ? 'all' : 'agents-only');
}

function strictestOf(modes: readonly Mode[]): Mode {
  return MODES.findLast((mode) => modes.includes(mode)) ?? 'agents-only';
}

function judge(port: ElementReader, strictest: Mode): void {
  const mode = modeOf(port);
  if (mode !== strictest) {
    port.carry(
      'allow-anonymous',
      `the strictest of the ports counts for the interface: ${strictest}`,
    );
  } else if (mode === 'registered' || mode === 'register-prefix') {
    port.carry(
      'allow-anonymous',
      'registrations are not looked at: agents and `allow` networks are admitted',
    );
  } else port.carry('allow-anonymous');
}

/** A network in CIDR notation; `undefined` for all addresses and for what is none. A port behind it falls off. */
function networkOf(text: string): string | undefined {
  const match = /^([0-9a-fA-F:.]{2,45}?)(?::\d{1,5})?(?:\/(\d{1,3}))?(?::\d{1,5})?$/.exec(text);
  const plain = isIP(text) === 0 ? match?.[1] : text;
  const address = plain ?? '';
  const version = isIP(address);
  const bits = match?.[2];
  if (version === 0 || /^[0:.]+$/.test(address)) return undefined;
  if (bits === undefined) return address;
  return Number(bits) <= (version === 4 ? 32 : 128) ? `${address}/${bits}` : undefined;
}
