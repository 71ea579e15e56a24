/** session-agent -> `session-agents`; session-group -> `session-groups`. */
import { entryOf } from './acme-value.ts';
import { isIP } from 'node:net';
import { bracketHost, parseHostPort } from '../address.ts';
import { AgentIndex, type AgentTexts } from './acme-agent-index.ts';
import { type InterfacePlan, type Interfaces, redirects } from './acme-interfaces.ts';
import { legEntries, readOptions } from './acme-leg.ts';
import { constraintEntries } from './acme-limits.ts';
import { NameSpace } from './acme-names.ts';
import type { AcmeParts } from './acme-parts.ts';
import { hasPings, outServiceCodes, pingEntries } from './acme-ping.ts';
import type { ElementReader } from './acme-reader.ts';
import type { RealmPlan } from './acme-realms.ts';
import type { YamlEntry, YamlItem } from './acme-yaml.ts';

export interface AgentPlan {
  readonly name: string;
  readonly realm: RealmPlan;
  readonly maxSessions: number;
}

/** Where an agent is reached. */
interface Place {
  readonly host: string;
  /** `undefined`: the usual one of the transport, or what DNS says. */
  readonly port: number | undefined;
  readonly transport: string;
  /** Only a transport that is written binds large requests. */
  readonly isWritten: boolean;
  /** What is not quite the same about it. */
  readonly note: string | undefined;
}

export class Agents {
  readonly items: YamlItem[] = [];
  /** Shared with the groups. */
  readonly names = new NameSpace();
  readonly #index = new AgentIndex<AgentPlan>();
  readonly #disabled = new AgentIndex<ElementReader>();
  readonly #parts: AcmeParts;
  readonly #interfaces: Interfaces;

  constructor(parts: AcmeParts, interfaces: Interfaces) {
    this.#parts = parts;
    this.#interfaces = interfaces;
    for (const reader of parts.source.all('session-agent')) this.#add(reader);
  }

  /** By host name or address, as other elements name it; of several, the one in the realm `identifier`. */
  find(host: string, identifier = ''): AgentPlan | undefined {
    const realm = identifier === '' ? undefined : this.#parts.realms.serving(identifier);
    return this.#index.find(host, realm?.name);
  }

  isDisabled(host: string): boolean {
    return this.#disabled.find(host) !== undefined;
  }

  /** An agent for an address that only a policy names. */
  make(address: string, realm: RealmPlan, line: number): AgentPlan | undefined {
    const where = parseHostPort(address);
    const [plan] = this.#interfaces.of(realm);
    if (where === undefined || where.port === 0 || plan?.transports.has('udp') !== true)
      return undefined;
    const name = this.names.take(where.host);
    const agent = { name, realm, maxSessions: 0 };
    const { host, port } = where;
    this.#index.add(realm.name, { hostname: host, address: '', port, isTls: false }, agent);
    this.items.push({
      comments: [`line ${line}: next hop of a local-policy that is no session-agent there`],
      entries: [
        { key: 'name', value: name },
        { key: 'realm', value: realm.name },
        {
          key: 'address',
          value: addressOf(host, isIP(host) !== 0 && port === 5060 ? undefined : port),
        },
      ],
    });
    return agent;
  }

  #add(reader: ElementReader): void {
    const host = reader.text('hostname') || reader.text('ip-address');
    const problem = this.#problem(reader, host);
    if (problem !== undefined) {
      this.#disabled.add('', textsOf(reader), reader);
      reader.loseWhole(problem.reason, problem.advice);
      return;
    }
    const home = this.#home(reader);
    if (home === undefined) {
      reader.loseWhole(
        'no sip-interface serves its realm',
        'add the sip-interface, then the agent',
      );
      return;
    }
    const { realm, plan } = home;
    const place = placeOf(reader);
    if (typeof place === 'string' || !plan.transports.has(place.transport)) {
      const why =
        typeof place === 'string' ? place : `no ${place.transport} port in realm ${realm.name}`;
      reader.loseWhole(why, 'add the port to the sip-interface, then the agent');
      return;
    }
    const name = this.names.take(host);
    const agent = { name, realm, maxSessions: reader.number('max-sessions') ?? 0 };
    this.#index.add(realm.name, textsOf(reader), agent);
    const described = reader.text('description');
    const comments = [
      `line ${reader.line}: ${reader.where}`,
      ...(described === '' ? [] : [described]),
    ];
    reader.carry('description', 'as a comment');
    this.items.push({ comments, entries: this.#entries(reader, { name, place, plan }) });
    reader.finish();
  }

  #entries(
    reader: ElementReader,
    {
      name,
      place,
      plan,
    }: { readonly name: string; readonly place: Place; readonly plan: InterfacePlan },
  ): readonly YamlEntry[] {
    const { shared } = this.#parts;
    reader.carry('hostname', reader.has('port') ? undefined : place.note);
    if (reader.text('ip-address') !== '') reader.carry('ip-address');
    const leg = legEntries(reader, 'session-agent');
    let failures: number | undefined;
    const options = readOptions(reader, 'session-agent', (option, value) => {
      const isCount = option === 'ping-failure-count' && /^[1-9]\d?$/.test(value);
      if (!isCount || !hasPings(reader)) return undefined;
      failures = Number(value);
      return { key: option, value };
    });
    return [
      { key: 'name', value: name },
      { key: 'realm', value: plan.realm.name },
      { key: 'address', value: addressOf(place.host, place.port) },
      ...(place.isWritten ? [{ key: 'transport', value: place.transport }] : []),
      ...pingEntries(reader, failures),
      ...outServiceCodes(reader),
      ...constraintEntries(reader, isInForce(reader)),
      ...leg,
      ...options.filter(
        ({ key }) => key !== 'ping-failure-count' && leg.every((entry) => entry.key !== key),
      ),
      ...trust(reader, plan.trustMode),
      ...redirects(reader),
      ...transfers(reader),
      ...shared.agentHeaders(reader, plan),
      ...shared.translations(reader),
    ];
  }

  #problem(reader: ElementReader, host: string): { reason: string; advice: string } | undefined {
    if (reader.text('state') === 'disabled') {
      return { reason: 'is disabled', advice: 'add it when it is to be used, or add and lock it' };
    }
    const protocol = reader.text('app-protocol').toUpperCase();
    if (protocol !== '' && protocol !== 'SIP')
      return { reason: `speaks ${protocol}`, advice: 'reach it by SIP' };
    return host === ''
      ? { reason: 'has neither hostname nor address', advice: 'nothing' }
      : undefined;
  }

  /** Its realm; the only realm there is where it names none. */
  #home(reader: ElementReader): { realm: RealmPlan; plan: InterfacePlan } | undefined {
    const { realms } = this.#parts;
    const named = reader.text('realm-id');
    const isAny = named === '' || named === '*';
    const wanted = isAny ? reader.text('egress-realm-id') : named;
    const found = wanted === '' ? undefined : realms.serving(wanted);
    const realm = found ?? (isAny ? realms.all()[0] : undefined);
    const plan = realm && this.#interfaces.of(realm)[0];
    if (realm === undefined || plan === undefined) return undefined;
    if (isAny)
      reader.carry('realm-id', `an agent lives in one realm, here ${realm.name}: check it`);
    else if (realm.identifier === named) reader.carry('realm-id');
    else reader.carry('realm-id', `its realm is part of ${realm.name}`);
    if (reader.text('egress-realm-id') !== '')
      reader.carry('egress-realm-id', `requests leave by realm ${realm.name}`);
    return { realm, plan };
  }
}

const TRANSPORTS: Readonly<
  Record<
    string,
    { readonly transport: string; readonly note?: string; readonly isWritten: boolean }
  >
> = {
  '': { transport: 'udp', isWritten: false },
  udp: { transport: 'udp', isWritten: true },
  'udp+tcp': { transport: 'udp', isWritten: false, note: 'large requests alone go by TCP' },
  tcp: { transport: 'tcp', isWritten: true },
  dynamictcp: { transport: 'tcp', isWritten: true, note: 'a connection stays for further calls' },
  statictcp: {
    transport: 'tcp',
    isWritten: true,
    note: 'the connection is opened when there is something to send',
  },
  tls: { transport: 'tls', isWritten: true },
  dynamictls: { transport: 'tls', isWritten: true, note: 'a connection stays for further calls' },
  statictls: {
    transport: 'tls',
    isWritten: true,
    note: 'the connection is opened when there is something to send',
  },
};

/** Where the agent is reached, or why nowhere. */
function placeOf(reader: ElementReader): Place | string {
  const method = reader.text('transport-method').toLowerCase();
  const known = entryOf(TRANSPORTS, method);
  if (known === undefined) return `there is no transport ${method}`;
  const { transport, note, isWritten } = known;
  const host = reader.text('ip-address') || reader.text('hostname');
  const where = parseHostPort(host);
  if (where === undefined) return `${host} is neither an address nor a host name`;
  const usual = transport === 'tls' ? 5061 : 5060;
  const written = reader.number('port') ?? where.port;
  if (written !== undefined && written > 65_535) return `${written} is no port`;
  reader.carry('transport-method', note);
  // Without a port any source port of an address is recognised, as it is there; a name is asked for its services then.
  const isUsual = (written ?? usual) === usual;
  const isNamed = isIP(where.host) === 0;
  const port = written === 0 || (isUsual && !isNamed) ? undefined : (written ?? usual);
  const difference = isUsual && isNamed && transport === 'udp' ? ONLY_ADDRESSES : undefined;
  reader.carry('port', written === 0 ? 'DNS names the port' : difference);
  return { host: where.host, port, transport, isWritten, note: difference };
}

const ONLY_ADDRESSES =
  'DNS is asked for its addresses alone, as there; requests from another port are not its own';

function textsOf(reader: ElementReader): AgentTexts {
  return {
    hostname: reader.text('hostname'),
    address: reader.text('ip-address'),
    port: reader.number('port'),
    isTls: /tls$/i.test(reader.text('transport-method')),
  };
}

function addressOf(host: string, port: number | undefined): string {
  if (port === undefined) return host;
  return isIP(host) === 6 ? `${bracketHost(host)}:${port}` : `${host}:${port}`;
}

/** `undefined`: not written. */
function isInForce(reader: ElementReader): boolean | undefined {
  const value = reader.text('constraints');
  reader.carry('constraints');
  return value === '' ? undefined : value === 'enabled';
}

/** trust-me counts as far as trust-mode of the interface lets it. */
function trust(reader: ElementReader, mode: string): readonly YamlEntry[] {
  const isTrusted = reader.text('trust-me') === 'enabled';
  if (isTrusted && mode === 'none') {
    reader.ignore('trust-me', 'not in force: trust-mode of the sip-interface is none');
    return [];
  }
  if (isTrusted) reader.carry('trust-me');
  if (isTrusted && mode !== 'all') return [{ key: 'trust', value: 'trusted' }];
  return !isTrusted && mode === 'all' ? [{ key: 'trust', value: 'untrusted' }] : [];
}

function transfers(reader: ElementReader): readonly YamlEntry[] {
  if (reader.text('refer-call-transfer') !== 'enabled') return [];
  reader.carry('refer-call-transfer');
  return [{ key: 'refer', value: 'local' }];
}
