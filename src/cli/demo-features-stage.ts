/** The stage of the feature demo: an SBC on loopback with an empty store, two phones of one account, and the HTTP API. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../config/load.ts';
import { startSbc } from '../main.ts';
import { getHeader, type SipMessage } from '../wire/sip-message.ts';
import { DemoPhone, reportsOf } from './demo-phone.ts';
import { DemoTimeline, type Party } from './demo-timeline.ts';
import { reportText } from './demo-features-state.ts';

export const ACCOUNT = '2001@pbx.example';
const PASSWORD = 'a demo password';
/** Room for a few calls; none is placed. */
const MEDIA_PORTS = 16;

/** What the steps use of a phone. */
export type StagePhone = Pick<
  DemoPhone,
  'shown' | 'subscriptionState' | 'notifies' | 'subscribe' | 'refresh' | 'press'
>;

export interface DemoStage {
  readonly phoneA: StagePhone;
  readonly phoneB: StagePhone;
  readonly timeline: DemoTimeline;
  /** One request below `/api/v1`, drawn into the timeline. */
  api(method: string, path: string, body?: object): Promise<ApiAnswer>;
  /** The same, not drawn. */
  ask(method: string, path: string, body?: object): Promise<ApiAnswer>;
}

export interface ApiAnswer {
  readonly status: number;
  readonly body: unknown;
}

/** What it opened is handed to `closers` at once. */
export async function openStage(closers: (() => Promise<unknown>)[]): Promise<DemoStage> {
  const folder = await mkdtemp(join(tmpdir(), 'tonebridge-demo-'));
  closers.push(() => rm(folder, { recursive: true, force: true }));
  const port = await freeUdpPort();
  const yaml = configText(port, join(folder, 'features.db'));
  const loaded = loadConfig({ text: yaml, file: 'demo', env: {} });
  if (loaded.type === 'invalid') {
    throw new Error(loaded.problems.map((problem) => problem.message).join('; '));
  }
  const sbc = await startSbc(loaded.config, {});
  closers.push(() => sbc.close());
  const timeline = new DemoTimeline(performance.now());
  const openPhone = async (party: Party, userAgent: string): Promise<DemoPhone> => {
    const phone = await DemoPhone.open({
      user: '2001',
      password: PASSWORD,
      domain: 'pbx.example',
      userAgent,
      server: { address: '127.0.0.1', port },
      onMessage: (message, way) => {
        const [from, to] = way === 'out' ? ([party, 'SBC'] as const) : (['SBC', party] as const);
        timeline.message(performance.now(), from, to, messageText(message));
      },
    });
    closers.push(() => phone.close());
    return phone;
  };
  const phoneA = await openPhone('phone A', 'DemoPhone-A/1.0');
  const phoneB = await openPhone('phone B', 'DemoPhone-B/1.0');
  const url = `http://${sbc.apiAddress.address}:${sbc.apiAddress.port}/api/v1`;
  const ask = async (method: string, path: string, body?: object): Promise<ApiAnswer> => {
    const init = body === undefined ? {} : JSON_BODY(body);
    const answer = await fetch(`${url}${path}`, { method, ...init });
    return { status: answer.status, body: await answer.json() };
  };
  const api = async (method: string, path: string, body?: object): Promise<ApiAnswer> => {
    const what = `${method} ${path.split('/').slice(3).join('/')} ${bodyText(body)}`.trim();
    timeline.message(performance.now(), 'API', 'SBC', what);
    const answer = await ask(method, path, body);
    timeline.message(performance.now(), 'SBC', 'API', answerText(answer));
    return answer;
  };
  return { phoneA, phoneB, timeline, api, ask };
}

const JSON_BODY = (body: object): { body: string; headers: Record<string, string> } => ({
  body: JSON.stringify(body),
  headers: { 'content-type': 'application/json' },
});

/** Every SUBSCRIBE is challenged here: without trusted networks loopback is none. */
function configText(port: number, file: string): string {
  const media = `{ address: 127.0.0.1, port-min: 20000, port-max: ${20_000 + MEDIA_PORTS - 1} }`;
  return [
    'sip: { engine: embedded }',
    'media: { workers: 1 }',
    `realms: [ { name: access, media: ${media} } ]`,
    `sip-interfaces: [ { name: access, realm: access, sip-ports: [ "udp/127.0.0.1:${port}" ], admit: agents } ]`,
    // A forward must have a way to its target, even where no call is placed.
    'session-agents: [ { name: carrier, realm: access, address: "127.0.0.1:9" } ]',
    'local-policies: [ { from-realm: access, to: "*", next-hop: carrier } ]',
    'feature-keys:',
    '  enabled: true',
    `  provider: { kind: sqlite, file: ${JSON.stringify(file)} }`,
    '  realm: pbx.example',
    `  users: { "2001": { password: "${PASSWORD}", accounts: [ "2001" ] } }`,
    '  trusted-networks: []',
    '  domains: { pbx.example: [ 127.0.0.1 ] }',
    '  subscriptions: { expires-min: 1s }',
    'api: { listen: 127.0.0.1:0 }',
    'cdr: { file: "" }',
    'log: { level: silent }',
    '',
  ].join('\n');
}

async function freeUdpPort(): Promise<number> {
  const socket = createSocket('udp4');
  const listening = once(socket, 'listening');
  socket.bind(0, '127.0.0.1');
  await listening;
  const { port } = socket.address();
  const closed = once(socket, 'close');
  socket.close();
  await closed;
  return port;
}

/** A message in as few words as tell what it does. */
function messageText(message: SipMessage): string {
  if (message.type === 'response') {
    const refusal = /"as-feature-event: set refused: ([^":]*)/.exec(
      getHeader(message, 'Warning') ?? '',
    )?.[1];
    const status = `${message.status} ${message.reason}`;
    return refusal === undefined ? status : `${status}, refused: ${refusal}`;
  }
  if (message.method === 'NOTIFY') {
    const state = getHeader(message, 'Subscription-State') ?? '';
    const reports = reportsOf(message).map(reportText);
    const ended = state.startsWith('terminated') ? [state] : [];
    const told = reports.length > 2 ? `all ${reports.length}` : reports.join(', ');
    return ['NOTIFY', ...ended, told].join(' ').trim();
  }
  const set = setText(message.body.toString('latin1'));
  const expires = `Expires: ${getHeader(message, 'Expires') ?? ''}`;
  const isSigned = getHeader(message, 'Authorization') !== undefined;
  return `${message.method} ${set === '' ? `${expires}${isSigned ? ', digest' : ''}` : set}`;
}

/** The values of a set as they stand in it. */
function setText(body: string): string {
  const value = (name: string): string =>
    new RegExp(`<${name}>([^<]*)</${name}>`).exec(body)?.[1] ?? '';
  if (body === '') return '';
  const isDnd = body.includes('SetDoNotDisturb');
  const status = value(isDnd ? 'doNotDisturbOn' : 'activateForward') === 'true' ? 'on' : 'off';
  const rings = value('ringCount');
  const words = [
    isDnd ? 'DND' : (FORWARD_NAMES[value('forwardingType')] ?? ''),
    status,
    value('forwardDN'),
    rings === '' ? '' : `${rings} rings`,
  ];
  return words.filter((word) => word !== '').join(' ');
}

const FORWARD_NAMES: Readonly<Record<string, string>> = {
  forwardImmediate: 'CFA',
  forwardBusy: 'CFB',
  forwardNoAns: 'CFNA',
};

function bodyText(body: object | undefined): string {
  return body === undefined ? '' : JSON.stringify(body);
}

function answerText({ status, body }: ApiAnswer): string {
  const members = new Map(Object.entries(typeof body === 'object' && body !== null ? body : {}));
  const words = ['outcome', 'version', 'notified'].flatMap((name) =>
    members.has(name) ? [`${name} ${String(members.get(name))}`] : [],
  );
  return [String(status), ...words].join(' ');
}
