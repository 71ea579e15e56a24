/** The schema of the whole file: every key with its meaning, its range and its default. */
import * as z from 'zod';
import { parseHostPort } from './address.ts';
import { type ApiConfig, type Config, LOG_LEVELS, type MediaConfig } from './config.ts';
import { admission } from './schema-admission.ts';
import { cdr } from './schema-cdr.ts';
import { expandPolicies, localPolicy, translation } from './schema-routing.ts';
import { featureKeys } from './schema-feature-keys.ts';
import { hep } from './schema-hep.ts';
import { sipLimits } from './schema-sip-limits.ts';
import { drachtioServer, realm, sessionAgent, sessionGroup, sipInterface } from './schema-trunk.ts';
import {
  choice,
  type Conversion,
  duration,
  flag,
  integer,
  listenAddress,
  scalar,
  secret,
} from './values.ts';

const DAY_MS = 86_400_000;

const sip = z
  .strictObject({
    engine: choice(
      ['embedded', 'drachtio'],
      'What speaks SIP: our own engine or a drachtio-server.',
    ).prefault('embedded'),
    drachtio: drachtioServer
      .meta({ description: 'The drachtio-server for `engine: drachtio`.' })
      .optional(),
    'udp-size-limit': integer(
      { minimum: 0, maximum: 65_535, unit: 'bytes' },
      'Larger requests leave by TCP where the peer takes it, in bytes; 0: never. Embedded engine only.',
    ).prefault('1300'),
    'reconnect-hold': duration(
      { minimumMs: 0, maximumMs: 300_000 },
      'How long answered calls keep their media while the SIP engine is away; they end when it is back or this is over.',
    ).prefault('30s'),
    limits: sipLimits
      .meta({ description: 'What peers may take of the embedded engine.' })
      .prefault({}),
  })
  .transform((raw) => ({
    engine: raw.engine,
    drachtio: raw.drachtio,
    udpSizeLimitBytes: raw['udp-size-limit'],
    reconnectHoldMs: raw['reconnect-hold'],
    limits: raw.limits,
  }));

const workers = scalar<'auto' | number>(
  {
    description: 'Relay threads; auto: one per processor core less one, at least one.',
    type: undefined,
    anyOf: [{ const: 'auto' }, { type: 'integer', minimum: 1, maximum: 256 }],
  },
  (text): Conversion<'auto' | number> => {
    if (text === 'auto') return { type: 'value', value: text };
    const count = /^\d{1,3}$/.test(text) ? Number(text) : 0;
    return count >= 1 && count <= 256
      ? { type: 'value', value: count }
      : { type: 'problem', message: `"${text}" is neither auto nor a whole number from 1 to 256` };
  },
);

/** An IPv6 address is a finding of its own. */
const nodeHostFacts = { description: 'IPv4 address or name of the control port.', minLength: 1 };
const nodeHost = scalar<string>(nodeHostFacts, (text) => {
  const parsed = parseHostPort(text);
  return parsed === undefined || parsed.port !== undefined
    ? { type: 'problem', message: `"${text}" is neither an IPv4 address nor a name` }
    : { type: 'value', value: parsed.host };
});

const rtpengineNode = z
  .strictObject({
    host: nodeHost,
    port: integer({ minimum: 1, maximum: 65_535 }, 'UDP control port.').prefault('2223'),
    'dtmf-listen': listenAddress('Where DTMF reports of the node are awaited.').optional(),
  })
  .transform((raw) => ({
    host: raw.host,
    port: raw.port,
    dtmfListen: raw['dtmf-listen'],
  }));

const media = z
  .strictObject({
    engine: choice(['relay', 'rtpengine'], 'Who moves RTP: our own relay or rtpengine.').prefault(
      'relay',
    ),
    io: choice(
      ['auto', 'dgram', 'ffi', 'kernel'],
      'How the relay moves packets; auto: the fastest ways that this machine allows.',
    ).prefault('auto'),
    workers: workers.prefault('auto'),
    'inactivity-timeout': duration(
      { minimumMs: 1000, maximumMs: DAY_MS },
      'A call without any RTP for this long is ended.',
    ).prefault('60s'),
    'hold-timeout': duration(
      { minimumMs: 1000, maximumMs: 7 * DAY_MS },
      'The same while the call is on hold.',
    ).prefault('3600s'),
    'port-quarantine': duration(
      { minimumMs: 0, maximumMs: 3_600_000 },
      'How long a closed RTP port rests before reuse, so that a peer still sending to the old call cannot be heard in a new one; two seconds when no other port is free.',
    ).prefault('30s'),
    rtpengine: z
      .array(rtpengineNode)
      .meta({ description: 'Nodes for `engine: rtpengine`.' })
      .prefault([]),
  })
  .transform((raw): MediaConfig => ({
    engine: raw.engine,
    io: raw.io,
    workers: raw.workers,
    inactivityTimeoutMs: raw['inactivity-timeout'],
    holdTimeoutMs: raw['hold-timeout'],
    portQuarantineMs: raw['port-quarantine'],
    rtpengine: raw.rtpengine,
  }));

const api = z
  .strictObject({
    listen: listenAddress('Address and port of the HTTP API and the console.').prefault(
      '127.0.0.1:8080',
    ),
    token: secret('Bearer token; needed for writes and for anything off loopback.').prefault(''),
  })
  .transform((raw): ApiConfig => ({ ...raw.listen, token: raw.token }));

const dtmf = z
  .strictObject({
    'mask-digits': flag('Hides digits in the ledger, the ladder and the log.').prefault('true'),
  })
  .transform((raw) => ({ maskDigits: raw['mask-digits'] }));

/** The file without its hash, in the shape of `Config`. */
export const configSchema = z
  .strictObject({
    sip: sip.meta({ description: 'SIP engine.' }).prefault({}),
    media: media.meta({ description: 'Media relay.' }).prefault({}),
    realms: z.array(realm).min(1).meta({ description: 'Networks, each with its media addresses.' }),
    'sip-interfaces': z
      .array(sipInterface)
      .min(1)
      .meta({ description: 'Where SIP is spoken, per realm.' }),
    'session-agents': z
      .array(sessionAgent)
      .meta({ description: 'Known peers: carriers, PBXs, gateways.' })
      .prefault([]),
    'session-groups': z
      .array(sessionGroup)
      .meta({ description: 'Session agents tried one after the other.' })
      .prefault([]),
    'local-policies': z
      .array(localPolicy)
      .meta({ description: 'Routes; the longest matching `to` wins.' })
      .prefault([]),
    translations: z
      .array(translation)
      .meta({ description: 'Sets of rules that rewrite numbers.' })
      .prefault([]),
    admission: admission.meta({ description: 'What the SBC as a whole takes on.' }).prefault({}),
    dtmf: dtmf.meta({ description: 'What is shown of digits.' }).prefault({}),
    'feature-keys': featureKeys
      .meta({ description: 'Device Feature Key Synchronization.' })
      .prefault({}),
    api: api.meta({ description: 'HTTP API and console.' }).prefault({}),
    cdr: cdr.meta({ description: 'Call records.' }).prefault({}),
    hep: hep.meta({ description: 'Capture by Homer.' }).prefault({}),
    log: z
      .strictObject({
        level: choice(LOG_LEVELS, 'Least severe level that is logged.').prefault('info'),
      })
      .meta({ description: 'Log on standard output.' })
      .prefault({}),
  })
  .transform((raw): Omit<Config, 'hash'> => ({
    sip: raw.sip,
    media: raw.media,
    realms: raw.realms,
    sipInterfaces: raw['sip-interfaces'],
    sessionAgents: raw['session-agents'],
    sessionGroups: raw['session-groups'],
    localPolicies: expandPolicies(raw['local-policies']),
    translations: raw.translations,
    admission: raw.admission,
    dtmf: raw.dtmf,
    featureKeys: raw['feature-keys'],
    api: raw.api,
    cdr: raw.cdr,
    hep: raw.hep,
    log: raw.log,
  }));
