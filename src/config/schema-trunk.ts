/** Schema of realms, sip-interfaces, session-agents and session-groups. */
import * as z from 'zod';
import type {
  DrachtioServer,
  Realm,
  SessionAgent,
  SessionGroup,
  SipInterface,
  TlsConfig,
} from './config.ts';
import { TRANSPORTS } from './address.ts';
import { agentAuth } from './schema-auth.ts';
import { codes, constraints, optionsPing } from './schema-admission.ts';
import { headerRules } from './schema-header-rules.ts';
import { buildLeg, legShape } from './schema-leg.ts';
import { methods } from './schema-methods.ts';
import { TRANSLATE_KEYS } from './schema-routing.ts';
import {
  choice,
  duration,
  entityName,
  hostPort,
  integer,
  ipAddress,
  network,
  nonEmptyText,
  secret,
  sipPort,
} from './values.ts';

const PORT = { minimum: 1, maximum: 65_535 };

export const drachtioServer = z
  .strictObject({
    host: nonEmptyText('Host of the admin port.').prefault('127.0.0.1'),
    port: integer(PORT, 'TCP admin port.').prefault('9022'),
    secret: secret('Shared secret of the admin port.'),
  })
  .transform((raw): DrachtioServer => raw);

export const realm = z
  .strictObject({
    name: entityName('Name by which interfaces, agents and policies refer to the realm.'),
    media: z
      .strictObject({
        address: ipAddress('Local IP address on which RTP is sent and received.'),
        advertised: ipAddress(
          'Address written in SDP instead, when a NAT stands before us.',
        ).optional(),
        'port-min': integer({ minimum: 1024, maximum: 65_535 }, 'Lowest RTP or RTCP port.'),
        'port-max': integer({ minimum: 1024, maximum: 65_535 }, 'Highest RTP or RTCP port.'),
      })
      .meta({ description: 'Where media of the realm is anchored.' }),
  })
  .transform((raw): Realm => ({
    name: raw.name,
    media: {
      address: raw.media.address,
      advertised: raw.media.advertised,
      portMin: raw.media['port-min'],
      portMax: raw.media['port-max'],
    },
  }));

const tls = z
  .strictObject({
    certificate: nonEmptyText('PEM file with the certificate chain.'),
    key: nonEmptyText('PEM file with the private key.'),
    ca: nonEmptyText(
      'PEM file with the authorities trusted in place of the public ones.',
    ).optional(),
    verify: choice(
      ['required', 'none'],
      'Whether servers that we connect to must prove by certificate that they are the host we mean (RFC 5922).',
    ).prefault('required'),
    'client-certificates': choice(
      ['none', 'required'],
      'Whether peers that connect to us must show a certificate of a trusted authority.',
    ).prefault('none'),
  })
  .transform((raw): TlsConfig => ({
    certificate: raw.certificate,
    key: raw.key,
    ca: raw.ca,
    verify: raw.verify,
    clientCertificates: raw['client-certificates'],
  }));

export const sipInterface = z
  .strictObject({
    name: entityName('Name of the interface.'),
    realm: nonEmptyText('Realm that the interface serves.'),
    'sip-ports': z
      .array(sipPort('transport/address:port; IPv6 in brackets, port 0 lets the system choose.'))
      .min(1)
      .meta({ description: 'Where SIP is received and sent from.' }),
    tls: tls.meta({ description: 'Files and checks for tls/… ports.' }).optional(),
    'keep-alive-interval': duration(
      { minimumMs: 0, maximumMs: 3_600_000 },
      'How often TCP and TLS connections that we opened are pinged (RFC 5626); 0 for never.',
    ).prefault('0'),
    admit: choice(
      ['agents', 'anyone'],
      'Whose requests are served: known session agents and `allow` networks, or anyone.',
    ).prefault('agents'),
    allow: z
      .array(network('Network in CIDR notation or a single address.'))
      .meta({ description: 'Networks admitted besides the session agents.' })
      .prefault([]),
    deny: z
      .array(network('Network in CIDR notation or a single address.'))
      .meta({ description: 'Networks refused with 403, whoever else would admit them.' })
      .prefault([]),
    constraints: constraints.meta({ description: 'Limits of the interface.' }).prefault({}),
    drachtio: drachtioServer
      .meta({ description: 'drachtio-server of this interface alone; otherwise sip.drachtio.' })
      .optional(),
    methods: methods
      .meta({ description: 'Where requests outside calls go; without a line they get 405.' })
      .optional(),
    'feature-keys-mode': choice(
      ['inherit', 'serve', 'pass'],
      'Whether feature keys of phones here are served or passed to another server; inherit: as feature-keys.mode says.',
    ).prefault('inherit'),
    ...legShape('sip-interface'),
    'header-rules': headerRules
      .meta({ description: 'Changes to headers, in this order, on legs of the interface.' })
      .optional(),
    'translate-in': TRANSLATE_KEYS.in.optional(),
    'translate-out': TRANSLATE_KEYS.out.optional(),
  })
  .transform((raw): SipInterface => ({
    name: raw.name,
    realm: raw.realm,
    sipPorts: raw['sip-ports'],
    tls: raw.tls,
    keepAliveIntervalMs: raw['keep-alive-interval'],
    admit: raw.admit,
    allow: raw.allow,
    deny: raw.deny,
    constraints: raw.constraints,
    drachtio: raw.drachtio,
    methods: raw.methods,
    featureKeysMode: raw['feature-keys-mode'] === 'inherit' ? undefined : raw['feature-keys-mode'],
    leg: buildLeg(raw),
    headerRules: raw['header-rules'],
    translateIn: raw['translate-in'],
    translateOut: raw['translate-out'],
  }));

export const sessionAgent = z
  .strictObject({
    name: entityName('Name of the agent; also the label in logs, metrics and CDRs.'),
    realm: nonEmptyText('Realm in which the agent lives.'),
    address: hostPort(
      'IP address or host name, optionally with a port; without one any source port matches.',
    ),
    transport: choice(
      TRANSPORTS,
      'Transport towards the agent, which may send by others; once written, large requests keep it.',
    )
      .meta({ usual: 'udp' })
      .optional(),
    auth: agentAuth
      .meta({ description: "What the agent's 401 and 407 are answered with." })
      .optional(),
    'options-ping': optionsPing
      .meta({ description: 'Health check; without this key no OPTIONS are sent.' })
      .optional(),
    constraints: constraints.meta({ description: 'Limits of the agent.' }).prefault({}),
    'out-service-response-codes': codes(
      'Final answer to OPTIONS or INVITE that counts as if there were none.',
      'Final answers that speak against the agent; all others prove that it is alive.',
    ).prefault(['503']),
    methods: methods
      .meta({ description: "The same for this agent, in place of the interface's." })
      .optional(),
    ...legShape('session-agent'),
    'header-rules': headerRules
      .meta({ description: "The same for this agent, in place of the interface's." })
      .optional(),
    'translate-in': TRANSLATE_KEYS.agentIn.optional(),
    'translate-out': TRANSLATE_KEYS.agentOut.optional(),
    'diversion-headers': choice(
      ['both', 'diversion', 'history-info', 'none'],
      'Which headers tell this agent of forwards; one that a call has not got is derived from the other. Unset: feature-keys.calls.diversion-headers.',
    ).optional(),
  })
  .transform((raw): SessionAgent => ({
    name: raw.name,
    realm: raw.realm,
    host: raw.address.host,
    port: raw.address.port,
    transport: raw.transport ?? 'udp',
    isTransportFixed: raw.transport !== undefined,
    auth: raw.auth,
    methods: raw.methods,
    optionsPing: raw['options-ping'],
    constraints: raw.constraints,
    outServiceCodes: raw['out-service-response-codes'],
    leg: buildLeg(raw),
    headerRules: raw['header-rules'],
    translateIn: raw['translate-in'],
    translateOut: raw['translate-out'],
    diversionHeaders: raw['diversion-headers'],
  }));

export const sessionGroup = z
  .strictObject({
    name: entityName('Name of the group; may not be an agent name as well.'),
    strategy: choice(
      ['hunt', 'round-robin', 'least-busy', 'weighted'],
      'Order in which members are tried.',
    ).prefault('hunt'),
    members: z
      .array(nonEmptyText('Name of a session agent.'))
      .min(1)
      .meta({ description: 'Session agents of the group, in order.' }),
    weights: z
      .record(z.string(), integer({ minimum: 1, maximum: 1000 }, 'Share of calls of this member.'))
      .meta({ description: 'Share per member for `weighted`; members not listed weigh 1.' })
      .prefault({}),
    'failover-codes': codes(
      'Final answer to INVITE.',
      'Answers after which the next member is tried, besides 408, 5xx and no connection.',
    ).prefault([]),
  })
  .transform((raw): SessionGroup => ({
    name: raw.name,
    strategy: raw.strategy,
    members: raw.members,
    weights: raw.weights,
    failoverCodes: raw['failover-codes'],
  }));
