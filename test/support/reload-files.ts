/** Configuration files that an SBC is reloaded with in turn: each changes something else against the one before. */

import type { SipTarget } from './sip-peer.ts';

export interface ReloadFile {
  readonly name: string;
  readonly text: string;
  /** What the reload must come to. */
  readonly outcome: 'applied' | 'refused';
  /** A place that takes calls as long as this file is in force. */
  readonly extra?: SipTarget;
}

export interface FilePlaces {
  readonly address: string;
  /** Not used by anything else. */
  readonly free: readonly [number, number, number];
  /** Held by another program. */
  readonly taken: number;
  /** Certificates and keys, PEM files. */
  readonly tls: readonly (readonly [certificate: string, key: string])[];
}

const PORTS = /(name: access\n.*\n\s+sip-ports: \[)([^\]]*)\]/;

/** In this order, over and over. */
export function reloadFiles(base: string, places: FilePlaces): readonly ReloadFile[] {
  const { address, taken, tls } = places;
  const [first, second, third] = places.free;
  const extra = { address, port: first };
  const withPort = addPorts(base, [`udp/${address}:${first}`, `tcp/${address}:${first}`]);
  const moved = addInterface(base, 'moved', [
    `udp/${address}:${first}`,
    `tcp/${address}:${second}`,
  ]);
  const valid = [
    { name: 'an agent and its policy more', text: withAgent(base) },
    { name: 'five hundred policies more', text: withPolicies(base, 500) },
    { name: 'header rules', text: atAccess(base, HEADER_RULES) },
    { name: 'parameters of an interface', text: atAccess(base, PARAMETERS) },
    { name: 'a port more', text: withPort, extra },
    { name: 'that port at a new interface', text: moved, extra },
    { name: 'back to the first interface', text: withPort, extra },
    { name: 'neither port nor interface', text: base },
    ...tls.map(([certificate, key], index) => ({
      name: `TLS with certificate ${index + 1}`,
      text: atAccess(
        addPorts(base, [`tls/${address}:${third}`]),
        `tls: { certificate: "${certificate}", key: "${key}" }`,
      ),
    })),
    { name: 'the first file', text: base },
  ].map((file) => ({ ...file, outcome: 'applied' as const }));
  const invalid = [
    { name: 'an unknown key', text: base.replace('local-policies:', 'local-policys:') },
    { name: 'no YAML', text: `${base}\n: [` },
    { name: 'a change that needs a restart', text: base.replace('workers: 1', 'workers: 2') },
    {
      name: 'a port in use behind free ones',
      text: addPorts(withPort, [`udp/${address}:${second}`, `tcp/${address}:${taken}`]),
    },
    { name: 'no certificate there', text: addPorts(base, [`tls/${address}:${third}`]) },
  ].map((file) => ({ ...file, outcome: 'refused' as const }));
  return valid.flatMap((file, index) => [file, ...invalid.slice(index, index + 1)]);
}

const HEADER_RULES =
  'header-rules: [ { direction: in, action: add, header: X-Seen, value: "yes" } ]';
const PARAMETERS = 'rfc2833-payload: 102\n    keep-alive-interval: 20s';

function addPorts(text: string, ports: readonly string[]): string {
  const more = ports.map((port) => `, "${port}"`).join('');
  return text.replace(
    PORTS,
    (_all, head: string, list: string) => `${head}${list.trimEnd()}${more} ]`,
  );
}

function atAccess(text: string, lines: string): string {
  return text.replace('    admit: anyone', `    admit: anyone\n    ${lines}`);
}

function addInterface(text: string, name: string, ports: readonly string[]): string {
  const list = ports.map((port) => `"${port}"`).join(', ');
  const lines = [
    `  - name: ${name}`,
    '    realm: access',
    `    sip-ports: [ ${list} ]`,
    '    admit: anyone',
  ];
  return text.replace('session-agents:', `${lines.join('\n')}\nsession-agents:`);
}

function withAgent(text: string): string {
  const agent =
    '  - { name: more, realm: core, address: "127.0.0.99:5060", options-ping: { interval: 30s } }';
  const policy = '  - { from-realm: access, to: "77", next-hop: more }';
  return text
    .replace('local-policies:', `${agent}\nlocal-policies:`)
    .replace('local-policies:', `local-policies:\n${policy}`);
}

function withPolicies(text: string, count: number): string {
  const policies = Array.from(
    { length: count },
    (_, n) => `  - { from-realm: access, to: "66${n}", next-hop: carrier }`,
  );
  return text.replace('local-policies:', `local-policies:\n${policies.join('\n')}`);
}
