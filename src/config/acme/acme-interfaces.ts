/** sip-interface with its sip-ports -> `sip-interfaces`. */
import { entryOf } from './acme-value.ts';
import { isIP } from 'node:net';
import { bracketHost, isWildcard } from '../address.ts';
import { legEntries, readOptions } from './acme-leg.ts';
import { NameSpace } from './acme-names.ts';
import type { AcmeParts } from './acme-parts.ts';
import type { ElementReader } from './acme-reader.ts';
import type { RealmPlan } from './acme-realms.ts';
import { accessOf } from './acme-access.ts';
import type { YamlEntry, YamlItem } from './acme-yaml.ts';

/** What agents of a realm have to know of its interface. */
export interface InterfacePlan {
  readonly name: string;
  readonly realm: RealmPlan;
  readonly transports: ReadonlySet<string>;
  readonly trustMode: string;
  readonly inbound: string;
  readonly outbound: string;
}

interface Port {
  readonly reader: ElementReader;
  readonly transport: string;
  readonly text: string;
}

const TRANSPORTS: Readonly<Record<string, string>> = {
  udp: 'udp',
  '': 'udp',
  tcp: 'tcp',
  tls: 'tls',
};

export class Interfaces {
  readonly items: YamlItem[] = [];
  readonly #names = new NameSpace();
  readonly #byRealm = new Map<RealmPlan, InterfacePlan[]>();
  readonly #parts: AcmeParts;

  constructor(parts: AcmeParts) {
    this.#parts = parts;
    for (const reader of parts.source.all('sip-interface')) this.#add(reader);
  }

  of(realm: RealmPlan): readonly InterfacePlan[] {
    return this.#byRealm.get(realm) ?? [];
  }

  #add(reader: ElementReader): void {
    if (reader.text('state') === 'disabled') {
      reader.loseWhole('is disabled', 'add it when it is to be used');
      return;
    }
    const identifier = reader.text('realm-id');
    const ports = this.#ports(reader);
    const first = ports[0];
    const address = first === undefined ? '' : first.reader.text('address');
    const realm =
      first === undefined || identifier === ''
        ? undefined
        : this.#parts.realms.open(identifier, address);
    if (realm === undefined) {
      const why = identifier === '' ? 'it has no realm' : 'it has no port that can be served';
      reader.loseWhole(why, 'add a sip-interface with sip-ports by hand');
      return;
    }
    const config = realm.reader;
    const inbound = config?.text('in-manipulationid') || reader.text('in-manipulationid');
    const outbound = config?.text('out-manipulationid') || reader.text('out-manipulationid');
    const name = this.#names.take(identifier);
    const plan: InterfacePlan = {
      name,
      realm,
      transports: new Set(ports.map(({ transport }) => transport)),
      trustMode: reader.text('trust-mode') || 'none',
      inbound,
      outbound,
    };
    const others = this.#byRealm.get(realm);
    if (others === undefined) this.#byRealm.set(realm, [plan]);
    else others.push(plan);
    reader.carry('realm-id');
    reader.carry('description', 'as a comment');
    const entries = [
      { key: 'name', value: name },
      { key: 'realm', value: realm.name },
      { key: 'sip-ports', value: ports.map(({ text }) => text) },
      ...this.#rest(reader, plan, ports),
    ];
    const described = reader.text('description');
    const comments = [
      `line ${reader.line}: ${reader.where}`,
      ...(described === '' ? [] : [described]),
    ];
    this.items.push({ comments, entries });
    reader.finish();
  }

  #rest(reader: ElementReader, plan: InterfacePlan, ports: readonly Port[]): readonly YamlEntry[] {
    const { realms, shared } = this.#parts;
    const config = realms.config(plan.realm.identifier);
    const leg = legEntries(reader, 'sip-interface');
    const options = readOptions(reader, 'sip-interface', () => undefined);
    return [
      ...tlsEntries(plan.name, ports),
      ...accessOf(this.#parts, {
        identifier: plan.realm.identifier,
        ports: ports.map((port) => port.reader),
      }),
      ...shared.limits(reader, config),
      ...leg,
      ...options.filter(({ key }) => leg.every((entry) => entry.key !== key)),
      ...trust(reader),
      ...sdp(reader),
      ...redirects(reader),
      ...latching(reader, config),
      ...transfers(config),
      ...shared.timers(reader),
      ...shared.headers(reader, config, plan),
      ...shared.translations(config),
    ];
  }

  #ports(reader: ElementReader): readonly Port[] {
    const ports: Port[] = [];
    for (const child of reader.children('sip-port', 'sip-ports')) {
      const port = reader.inner(child);
      const found = this.#port(port);
      if (typeof found === 'string') port.loseWhole(found, 'add it to sip-ports by hand');
      else {
        ports.push(found);
        finishPort(found);
      }
    }
    return ports;
  }

  #port(reader: ElementReader): Port | string {
    const address = reader.text('address');
    const protocol = reader.text('transport-protocol').toLowerCase();
    const transport = entryOf(TRANSPORTS, protocol);
    const port = reader.number('port') ?? (transport === 'tls' ? 5061 : 5060);
    if (transport === undefined) return `there is no transport ${protocol}`;
    if (isIP(address) === 0 || isWildcard(address))
      return 'its address is no address of an interface';
    if (port === 0 || port > 65_535) return `${port} is no port`;
    const place = `${transport === 'udp' ? 'udp' : 'tcp'} ${address}`;
    if (!this.#parts.realms.claims.claim(place, port, port))
      return 'another part uses the same port';
    return { reader, transport, text: `${transport}/${bracketHost(address)}:${port}` };
  }
}

function finishPort({ reader, transport }: Port): void {
  for (const name of ['address', 'port', 'transport-protocol']) reader.carry(name);
  if (transport === 'tls') {
    reader.carry('tls-profile', 'certificate and key are files here: put them where `tls` says');
  }
  reader.finish();
}

function tlsEntries(name: string, ports: readonly Port[]): readonly YamlEntry[] {
  if (ports.every(({ transport }) => transport !== 'tls')) return [];
  const files = [
    { key: 'certificate', value: `tls/${name}-chain.pem` },
    { key: 'key', value: `tls/${name}-key.pem` },
  ];
  return [{ key: 'tls', value: files, note: 'put the files there' }];
}

/** trust-mode: whether identities are believed; agents say for themselves as well. */
function trust(reader: ElementReader): readonly YamlEntry[] {
  const mode = reader.text('trust-mode');
  if (mode === '' || mode === 'none') return [];
  if (mode === 'all') {
    reader.carry('trust-mode');
    return [{ key: 'trust', value: 'trusted' }];
  }
  reader.carry('trust-mode', 'agents with trust-me are trusted, nobody else');
  return [];
}

function sdp(reader: ElementReader): readonly YamlEntry[] {
  const value = reader.text('add-sdp-invite');
  if (!['invite', 'reinvite', 'both'].includes(value)) return [];
  reader.carry('add-sdp-invite');
  return [{ key: 'add-sdp-invite', value }];
}

export function redirects(reader: ElementReader): readonly YamlEntry[] {
  const action = reader.text('redirect-action').toLowerCase();
  if (action === 'recurse' || action === 'recurse-305-only') {
    reader.carry('redirect-action', 'to session agents alone: follow-redirects: any goes anywhere');
    return [];
  }
  if (action !== 'proxy') return [];
  reader.carry('redirect-action', 'a redirection is not passed on: the caller gets 480');
  return [{ key: 'follow-redirects', value: 'disabled' }];
}

/** Peers behind NAT: where their media comes from is learnt. */
function latching(reader: ElementReader, config: ElementReader | undefined): readonly YamlEntry[] {
  const isNat = reader.text('nat-traversal') === 'always';
  const isSymmetric = config?.text('symmetric-latching') === 'enabled';
  if (isNat) reader.carry('nat-traversal', 'as media-source: learn-once');
  if (isSymmetric) config?.carry('symmetric-latching', 'as media-source: learn-once');
  return isNat || isSymmetric ? [{ key: 'media-source', value: 'learn-once' }] : [];
}

function transfers(config: ElementReader | undefined): readonly YamlEntry[] {
  if (config?.text('refer-call-transfer') !== 'enabled') return [];
  config.carry('refer-call-transfer', 'on the sip-interface');
  return [{ key: 'refer', value: 'local' }];
}
