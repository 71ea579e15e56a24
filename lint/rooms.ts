/**
 * The dependency rule of the rooms as one table: which room may import which, and which rooms are pure.
 *
 *   main, cli -> api, simulation -> call, feature-keys -> trunk -> sip, media -> dtmf -> wire
 *   engine -> wire         config, observe: leaves (import no room)
 */
import type { OxlintOverride } from 'oxlint';

/** Every room below src and the rooms it may import, itself excepted (always allowed). */
export const ROOM_IMPORTS: Readonly<Record<string, readonly string[]>> = {
  wire: [],
  config: [],
  observe: [],
  dtmf: ['wire'],
  engine: ['wire'],
  media: ['dtmf', 'wire', 'observe', 'config'],
  sip: ['dtmf', 'wire', 'observe', 'config'],
  trunk: ['sip', 'media', 'dtmf', 'wire', 'observe', 'config'],
  call: ['trunk', 'sip', 'media', 'dtmf', 'wire', 'observe', 'config'],
  'feature-keys': ['trunk', 'sip', 'media', 'dtmf', 'wire', 'observe', 'config'],
  simulation: [
    'call',
    'feature-keys',
    'trunk',
    'sip',
    'media',
    'dtmf',
    'wire',
    'observe',
    'config',
  ],
  api: ['call', 'feature-keys', 'trunk', 'sip', 'media', 'dtmf', 'wire', 'observe', 'config'],
};

/** Rooms without sockets, clocks or timers: packets and time come in as arguments. */
export const PURE_ROOMS: readonly string[] = ['wire', 'dtmf'];

/** Single files of other rooms that are pure as well. */
export const PURE_FILES: readonly string[] = [
  'relay',
  'relay-direction',
  'relay-leg',
  'fast-lanes',
  'lane-state',
  'direction-lane',
  'stream-lanes',
  'relay-rtcp',
  'source-lock',
  'source-contest',
  'sampled-loss',
  'sequence-offset',
  'injection',
  'diverted-presses',
  'stream-clock',
  'reception-stats',
  'port-pool',
  'deadlines',
  'own-stream',
  'rtcp-names',
  'rtcp-descriptions',
  'sent-octets',
  'relayed-event',
  'event-payload',
  'leg-changes',
  'one-way-spell',
  'settled-legs',
  'digit-reports',
  'ffi/socket-address',
  'kernel/flow-book',
  'kernel/nft-patience',
  'kernel/nft-text',
  'kernel/plain-stream',
  'kernel/steady-flow',
  'kernel/stream-flows',
  'rtpengine/dtmf-report',
  'rtpengine/engine-sdp',
  'rtpengine/engine-view',
  'rtpengine/event-numbers',
  'rtpengine/ng-bencode',
  'rtpengine/ng-exchange',
  'rtpengine/ng-health',
  'rtpengine/ng-result',
  'rtpengine/owed-deletes',
  'rtpengine/own-reports',
  'rtpengine/report-copies',
  'rtpengine/sdp-utf8',
  'rtpengine/stream-watch',
].map((name) => `src/media/${name}.ts`);

const PURE_FEATURE_FILES = [
  'feature-state',
  'change-rules',
  'target-policy',
  'loop-guard',
  'notify-dues',
  'notify-pace',
  'subscribe-ladder',
  'presentity',
  'phone-profile',
  'call-decision',
].map((name) => `src/feature-keys/${name}.ts`);

const PURE_SIMULATION_FILES = [
  'virtual-clock',
  'seeded-random',
  'line-diff',
  'header-changes',
  'key-rows',
  'expectations',
  'sdp-preset',
  'endpoint-sdp',
].map((name) => `src/simulation/${name}.ts`);

const PURE_OBSERVE_FILES = ['pcap', 'ladder-mermaid', 'series', 'hep'].map(
  (name) => `src/observe/${name}.ts`,
);

const PURE_CALL_FILES = ['src/call/forward/forward-chain.ts'];

/** Packages that exactly one module may import. */
export const FENCED_PACKAGES: Readonly<Record<string, string>> = {
  'drachtio-srf': 'src/sip/drachtio.ts',
  'fast-xml-parser': 'src/wire/xml.ts',
  'rtpengine-client': 'src/media/rtpengine/ng-library.ts',
  pg: 'src/feature-keys/postgres-client.ts',
};

/** Globals that bring time or the process into a pure file. */
export const IMPURE_GLOBALS: readonly string[] = [
  'Date',
  'performance',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'process',
];

type Rules = NonNullable<OxlintOverride['rules']>;

interface ImportPattern {
  readonly group: string[];
  readonly message: string;
}

/** Builds the lint overrides that hold every file to the tables above. */
export function roomOverrides(): OxlintOverride[] {
  const rooms = Object.keys(ROOM_IMPORTS);
  const overrides: OxlintOverride[] = [];
  for (const room of rooms) {
    overrides.push(importOverride([`src/${room}/**`], room, []));
  }
  for (const [name, file] of Object.entries(FENCED_PACKAGES)) {
    const room = file.split('/')[1] ?? '';
    overrides.push(importOverride([file], room, [name]));
  }
  for (const file of [
    ...PURE_FILES,
    ...PURE_FEATURE_FILES,
    ...PURE_CALL_FILES,
    ...PURE_OBSERVE_FILES,
    ...PURE_SIMULATION_FILES,
  ]) {
    overrides.push({ files: [file], rules: { ...pureGlobals() } });
  }
  return overrides;
}

function importOverride(files: string[], room: string, allowedPackages: string[]): OxlintOverride {
  const isPure = PURE_ROOMS.includes(room);
  const rules: Rules = {
    'eslint/no-restricted-imports': [
      'error',
      { patterns: forbiddenImports(room, allowedPackages) },
    ],
  };
  return { files, rules: isPure ? { ...rules, ...pureGlobals() } : rules };
}

function forbiddenImports(room: string, allowedPackages: string[]): ImportPattern[] {
  const allowed = new Set([room, ...(ROOM_IMPORTS[room] ?? [])]);
  const patterns: ImportPattern[] = [];
  for (const other of [...Object.keys(ROOM_IMPORTS), 'cli']) {
    if (allowed.has(other)) continue;
    patterns.push({ group: [`**/${other}/**`], message: `${room} may not import ${other}` });
  }
  patterns.push({ group: ['**/main.ts'], message: 'nobody imports the composition root' });
  for (const name of Object.keys(FENCED_PACKAGES)) {
    if (allowedPackages.includes(name)) continue;
    patterns.push({ group: [name, `${name}/**`], message: `${name} has one adapter` });
  }
  if (PURE_ROOMS.includes(room)) {
    patterns.push({ group: ['node:*', 'node:*/**'], message: `${room} is pure` });
  }
  return patterns;
}

function pureGlobals(): Rules {
  return { 'eslint/no-restricted-globals': ['error', ...IMPURE_GLOBALS] };
}
