/** The schema of a scenario file. The YAML reader hands over every scalar as text, as with configurations. */
import * as z from 'zod';
import {
  anyText,
  choice,
  duration,
  entityName,
  flag,
  hostPort,
  integer,
  nonEmptyText,
} from '../config/values.ts';
import { FEATURES } from '../wire/feature-event.ts';
import { formatHostPort } from '../wire/sip-uri.ts';
import {
  type CalleeScript,
  type CallerScript,
  type EndScript,
  type Expectation,
  type FeatureSetting,
  KEY_MANNERS,
  KPML_MANNERS,
  type MessageExpectation,
  type Scenario,
  SUBSCRIBE_MANNERS,
} from './scenario.ts';
import { eventSchema } from './scenario-events.ts';
import {
  answer,
  contacts,
  moment,
  percentage,
  type ReadFile,
  ringing,
  sdpSource,
} from './scenario-values.ts';
import { parsePreset } from './sdp-preset.ts';

const HOUR_MS = 3_600_000;
/** A working day at noon, so that policies by time act as they mostly do. */
const DEFAULT_START = '2026-01-05T12:00:00Z';

const side = choice(['caller', 'callee'], 'Which end.');

function bothSides<T extends z.ZodType>(value: T, description: string) {
  return z
    .strictObject({ 'caller-to-callee': value.optional(), 'callee-to-caller': value.optional() })
    .meta({ description })
    .transform((raw) => ({ caller: raw['caller-to-callee'], callee: raw['callee-to-caller'] }));
}

const endKeys = {
  dtmf: choice(
    KEY_MANNERS,
    'How the end sends its keys; auto: by KPML to whoever has subscribed, else as telephone-events.',
  ).prefault('rtp'),
  headers: z
    .record(z.string(), anyText('Value of the header.'))
    .meta({ description: 'Headers of its INVITE or of its answers to one.' })
    .prefault({}),
  'allow-events': anyText('Its Allow-Events; default kpml with dtmf: kpml, else none.').optional(),
  kpml: choice(KPML_MANNERS, 'What it does with a SUBSCRIBE for its keys.').prefault('grants'),
  subscribes: choice(
    SUBSCRIBE_MANNERS,
    'Whether it subscribes to the keys of the other end; auto: with dtmf: kpml where it is offered them.',
  ).prefault('auto'),
  'rtp-loss': percentage('Share of its RTP packets that get lost.').prefault('0%'),
};

type RawEnd = z.output<z.ZodObject<typeof endKeys>>;

/** What both kinds of ends have in common. */
function endOf(raw: RawEnd, sdp: EndScript['sdp'] | undefined, isDelayed = false): EndScript {
  const { dtmf, headers, kpml, subscribes } = raw;
  const allowEvents = raw['allow-events'] ?? (dtmf === 'kpml' ? 'kpml' : '');
  const usual = parsePreset(dtmf === 'rtp' || dtmf === 'auto' ? 'g711+2833' : 'g711');
  if (usual.type === 'unknown') throw new Error('the usual preset is one');
  const rtpLoss = raw['rtp-loss'];
  return { sdp: sdp ?? usual, isDelayed, dtmf, headers, allowEvents, kpml, subscribes, rtpLoss };
}

function callerSchema(readFile: ReadFile) {
  return z
    .strictObject({
      'from-agent': entityName('Session agent that calls.').optional(),
      address: hostPort('IP address and port that calls, where it is no session agent.').optional(),
      interface: entityName(
        'sip-interface that the call comes in at, where several would do.',
      ).optional(),
      from: nonEmptyText('Calling number, or a whole From value.').prefault('5550100'),
      to: nonEmptyText('Called number, SIP or tel URI.'),
      offer: sdpSource(readFile, 'SDP of the INVITE; none: an INVITE without.').optional(),
      answer: sdpSource(readFile, 'With offer: none, what its answers are made of.').optional(),
      ...endKeys,
    })
    .superRefine((raw, context) => {
      if ((raw['from-agent'] === undefined) === (raw.address === undefined)) {
        context.addIssue({
          code: 'custom',
          path: [raw.address === undefined ? 'to' : 'address'],
          message: 'the caller is either a session agent (from-agent) or an address',
        });
      }
    })
    .transform((raw): CallerScript => ({
      ...(raw.offer?.type === 'none' ? endOf(raw, raw.answer, true) : endOf(raw, raw.offer)),
      fromAgent: raw['from-agent'],
      address: raw.address && formatHostPort(raw.address.host, raw.address.port ?? 5060),
      sipInterface: raw.interface,
      from: raw.from,
      to: raw.to,
    }));
}

function calleeSchema(readFile: ReadFile) {
  return z
    .strictObject({
      ringing: ringing('The 1xx of the callee and when it comes.').prefault('180 after 200ms'),
      answers: answer('The final answer and when it comes.').prefault('200 after 1s'),
      'early-media': flag('Whether the 1xx has the SDP answer already.').prefault('false'),
      reliable: flag('Whether the 1xx asks for a PRACK (RFC 3262).').prefault('false'),
      contact: contacts(
        'Contact of a 3xx: URIs or <URI>;q=0.5, with commas between them.',
      ).optional(),
      answer: sdpSource(readFile, 'What the SDP answer is made of, or its text.').optional(),
      ...endKeys,
    })
    .transform((raw): CalleeScript => ({
      ...endOf(raw, raw.answer),
      ringing: raw.ringing,
      answers: raw.answers,
      hasEarlyMedia: raw['early-media'],
      isReliable: raw.reliable,
      contact: raw.contact,
    }));
}

const message = z
  .strictObject({
    at: side,
    message: nonEmptyText('A method, or a status and the method it answers: INVITE, 200 INVITE.'),
    part: anyText('A header, or sdp; without it the message as a whole.').prefault(''),
    has: nonEmptyText('Text that must be there.').optional(),
    lacks: nonEmptyText('Text that must not be there.').optional(),
    is: choice(['present', 'absent'], 'Whether it must be there at all.').prefault('present'),
  })
  .transform((raw): MessageExpectation => ({
    at: raw.at,
    message: raw.message,
    part: raw.part,
    text: raw.has ?? raw.lacks,
    isPresent: raw.lacks === undefined && raw.is === 'present',
  }));

const expectation = z
  .strictObject({
    status: integer(
      { minimum: 200, maximum: 699 },
      'Final answer that the caller gets.',
    ).optional(),
    agents: z
      .array(entityName('Session agent.'))
      .meta({ description: 'Session agents that are tried, in order.' })
      .optional(),
    'ended-by': choice(['caller', 'callee', 'sbc'], 'Who ends the call.').optional(),
    'keys-at-caller': anyText('Keys that the caller hears.').optional(),
    'keys-at-callee': anyText('Keys that the callee hears.').optional(),
    translator: bothSides(
      nonEmptyText('Translator, such as kpml-to-2833.'),
      'What carries the keys in the end.',
    ).prefault({}),
    row: bothSides(nonEmptyText('Row, such as K1.'), 'Row of the decision table.').prefault({}),
    messages: z
      .array(message)
      .meta({ description: 'What must be in the messages that the ends receive.' })
      .prefault([]),
  })
  .transform((raw): Expectation => ({
    status: raw.status,
    agents: raw.agents,
    endedBy: raw['ended-by'],
    keysAt: { ...keysAt('caller', raw), ...keysAt('callee', raw) },
    translators: present(raw.translator),
    rows: present(raw.row),
    messages: raw.messages,
  }));

function keysAt<S extends 'caller' | 'callee'>(
  at: S,
  raw: { readonly [Key in `keys-at-${S}`]?: string | undefined },
): Expectation['keysAt'] {
  const heard = raw[`keys-at-${at}`];
  return heard === undefined ? {} : { [at]: heard };
}

function present(raw: {
  readonly caller: string | undefined;
  readonly callee: string | undefined;
}): Expectation['rows'] {
  return {
    ...(raw.caller === undefined ? {} : { caller: raw.caller }),
    ...(raw.callee === undefined ? {} : { callee: raw.callee }),
  };
}

const feature = z
  .strictObject({
    account: nonEmptyText('The account, user@domain.'),
    feature: choice(FEATURES, 'The feature key that is on.'),
    'forward-to': nonEmptyText('Where it forwards to.').optional(),
    'ring-count': integer({ minimum: 0, maximum: 20 }, 'Rings before it forwards.').optional(),
  })
  .transform((raw): FeatureSetting => ({
    account: /^sips?:/i.test(raw.account) ? raw.account : `sip:${raw.account}`,
    feature: raw.feature,
    forwardTo: raw['forward-to'],
    ringCount: raw['ring-count'],
  }));

/** @param readFile reads what `file:NAME` names. */
export function scenarioSchema(readFile: ReadFile) {
  const callee = calleeSchema(readFile);
  return z
    .strictObject({
      name: nonEmptyText('What the scenario is about.'),
      config: nonEmptyText(
        'Configuration that it is for, relative to this file; --config counts instead.',
      ).optional(),
      at: moment('When the call comes in.').prefault(DEFAULT_START),
      latency: duration(
        { minimumMs: 0, maximumMs: 10_000 },
        'How long everything takes from the one to the other.',
      ).prefault('5ms'),
      caller: callerSchema(readFile).meta({ description: 'Who calls.' }),
      callee: callee.prefault({}).meta({ description: 'Who is called, wherever that is.' }),
      callees: z
        .record(z.string(), callee)
        .meta({ description: 'Callees that are different, by session agent or address.' })
        .prefault({}),
      'agents-down': z
        .array(entityName('Session agent.'))
        .meta({ description: 'Session agents that are out of service.' })
        .prefault([]),
      features: z.array(feature).meta({ description: 'Feature keys that are on.' }).prefault([]),
      events: z
        .array(eventSchema(readFile, HOUR_MS))
        .meta({ description: 'What the ends do, by time from the INVITE on.' })
        .prefault([]),
      expect: expectation
        .meta({ description: 'What should come of it; exit status 1 where it does not.' })
        .prefault({}),
    })
    .transform((raw): Scenario => ({
      name: raw.name,
      config: raw.config,
      startMs: raw.at,
      latencyMs: raw.latency,
      caller: raw.caller,
      callee: raw.callee,
      callees: new Map(Object.entries(raw.callees)),
      agentsDown: raw['agents-down'],
      features: raw.features,
      events: raw.events.toSorted((a, b) => a.atMs - b.atMs),
      expect: raw.expect,
    }));
}
