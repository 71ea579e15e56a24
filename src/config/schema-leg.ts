/**
 * Parameters that can stand on a sip-interface and on a session-agent. The agent's value wins; `inherit`, `none` and `0`
 * on an agent hand the decision to the interface. Defaults come into force in effective.ts, where the origin is still known.
 */
import type * as z from 'zod';
import type { LegOverrides } from './config.ts';
import { LEG_DEFAULTS } from './effective.ts';
import { SESSION_TIMER_FIELDS } from './schema-session-timer.ts';
import { choice, type Conversion, integer, type Scalar, scalar } from './values.ts';

type Place = 'sip-interface' | 'session-agent';
type LegField<T> = z.ZodOptional<Scalar<T | undefined>>;

/** Both spellings are read; `inherit` is the one we write. */
const INHERIT = ['inherit', 'inherited'];

/** Lets the words in `unset` stand for "not set here", on an agent only. */
function legField<T>(
  place: Place,
  field: { base: Scalar<T>; default: unknown; unset?: readonly string[] },
): LegField<T> {
  const facts = field.base.meta() ?? {};
  const description = facts.description ?? '';
  const unset = field.unset ?? INHERIT;
  const convert = (text: string): Conversion<T | undefined> => {
    if (place === 'session-agent' && unset.includes(text)) {
      return { type: 'value', value: undefined };
    }
    const result = field.base.safeParse(text);
    if (result.success) return { type: 'value', value: result.data };
    const [issue] = result.error.issues;
    const suggestion: unknown = issue?.code === 'custom' ? issue.params?.['suggestion'] : undefined;
    const message = issue?.message ?? 'is not valid';
    return typeof suggestion === 'string'
      ? { type: 'problem', message, suggestion }
      : { type: 'problem', message };
  };
  if (place === 'sip-interface') {
    return scalar({ ...facts, description, usual: field.default }, convert).optional();
  }
  const words = { enum: [...unset] };
  const { type, enum: values, minimum, maximum } = facts;
  const own = Array.isArray(values) ? { enum: values } : { type, minimum, maximum };
  const union = Array.isArray(values)
    ? { type: 'string', enum: [...new Set([...values.map(String), ...unset])] }
    : { type: undefined, anyOf: [own, unset.includes('0') ? { const: 0 } : words] };
  const text = `${description} Default here: the interface's value (${unset[0] ?? ''}).`;
  const agentFacts = { ...union, description: text, usual: unset[0] === '0' ? 0 : unset[0] };
  return scalar(agentFacts, convert).optional();
}

function switchField(place: Place, isOn: boolean, description: string): LegField<boolean> {
  const words = choice(['enabled', 'disabled'], description);
  const base = scalar({ ...words.meta(), description }, (text): Conversion<boolean> => {
    const result = words.safeParse(text);
    return result.success
      ? { type: 'value', value: result.data === 'enabled' }
      : { type: 'problem', message: `"${text}" is not one of enabled, disabled` };
  });
  return legField(place, { base, default: isOn ? 'enabled' : 'disabled' });
}

/** Keys of the interworking rules, in Oracle's spelling. */
function interworkingShape(place: Place) {
  const isAgent = place === 'session-agent';
  return {
    'kpml-interworking': switchField(
      place,
      LEG_DEFAULTS.kpmlInterworking,
      'Lets digits of this leg cross between KPML and RFC 2833.',
    ),
    'rfc2833-mode': legField(place, {
      base: choice(
        ['transparent', 'preferred', 'dual'],
        'What is done with telephone-event in SDP: transparent passes it, preferred inserts and keeps it, dual passes it and keeps the leg out of every translation from and to KPML; no mode sends INFO (see sip-info).',
      ),
      default: LEG_DEFAULTS.rfc2833Mode,
      unset: ['none', ...INHERIT],
    }),
    'rfc2833-payload': legField(place, {
      base: integer(
        { minimum: 96, maximum: 127 },
        'Payload type of a telephone-event that we insert, 96 to 127.',
      ),
      default: LEG_DEFAULTS.rfc2833Payload,
      unset: isAgent ? ['0', ...INHERIT] : [],
    }),
    'kpmlRFC2833-iwf-on-hairpin': switchField(
      place,
      LEG_DEFAULTS.kpmlOnHairpin,
      'Honours a KPML subscription of this leg although telephone-event was negotiated too.',
    ),
    'sip-info': legField(place, {
      base: choice(
        ['disabled', 'receive', 'send'],
        'Digits in SIP INFO on a leg without telephone-event: receive translates those that come from it, send also sends it the digits of the other side; disabled passes INFO on as it is.',
      ),
      default: LEG_DEFAULTS.sipInfo,
    }),
    'kpml-subscription': legField(place, {
      base: choice(
        ['in-dialog', 'separate'],
        'Where our KPML subscription runs: inside the dialog of the call or in a dialog of its own (RFC 4730 §4.2).',
      ),
      default: LEG_DEFAULTS.kpmlSubscription,
    }),
    'media-source': legField(place, {
      base: choice(
        ['sdp', 'learn-once'],
        'Whose RTP is accepted: only the SDP address, or the first source seen (peers behind NAT).',
      ),
      default: LEG_DEFAULTS.mediaSource,
    }),
    'add-sdp-invite': legField(place, {
      base: choice(
        ['disabled', 'invite', 'reinvite', 'both'],
        'Which requests without SDP get one from us.',
      ),
      default: LEG_DEFAULTS.addSdpInvite,
    }),
  };
}

function dtmfShape(place: Place) {
  const number = (
    range: { minimum: number; maximum: number },
    usual: number | undefined,
    description: string,
  ): LegField<number> =>
    legField(place, { base: integer({ ...range, unit: 'ms' }, description), default: usual });
  return {
    'dtmf-duration-ms': number(
      { minimum: 40, maximum: 5000 },
      LEG_DEFAULTS.dtmfDurationMs,
      'Tone length of a digit without known duration, milliseconds.',
    ),
    'dtmf-gap-ms': number(
      { minimum: 40, maximum: 1000 },
      LEG_DEFAULTS.dtmfGapMs,
      'Least pause between generated digits, milliseconds.',
    ),
    'dtmf-packet-interval-ms': number(
      { minimum: 10, maximum: 50 },
      undefined,
      'Spacing of event packets, milliseconds. Unset: the packet time of the leg, at most 50; 20 if unknown.',
    ),
    'dtmf-drain-on-bye-ms': number(
      { minimum: 0, maximum: 2000 },
      LEG_DEFAULTS.dtmfDrainOnByeMs,
      'How long a relayed BYE waits for queued digits, milliseconds.',
    ),
    'dtmf-repair-moved-end': switchField(
      place,
      LEG_DEFAULTS.dtmfRepairMovedEnd,
      'Counts end packets with a moved timestamp as repeats.',
    ),
    'dtmf-merge-window-ms': number(
      { minimum: 0, maximum: 1000 },
      LEG_DEFAULTS.dtmfMergeWindowMs,
      'Merges the same digit within this time, for senders that move the timestamp; milliseconds.',
    ),
  };
}

function kpmlShape(place: Place) {
  return {
    'kpml-subscribe-expires': legField(place, {
      base: integer(
        { minimum: 60, maximum: 86_400, unit: 's' },
        'Expires of our SUBSCRIBE, seconds.',
      ),
      default: LEG_DEFAULTS.kpmlSubscribeExpiresSeconds,
    }),
    'kpml-event-parameters': legField(place, {
      base: choice(['none', 'full'], 'Puts call-id, local-tag and remote-tag on our SUBSCRIBE.'),
      default: LEG_DEFAULTS.kpmlEventParameters,
    }),
    'kpml-flash': switchField(
      place,
      LEG_DEFAULTS.kpmlFlash,
      'Translates hook flash: event 16 and R.',
    ),
    'kpml-bodyless-refresh': legField(place, {
      base: choice(
        ['keep', 'unload'],
        'What a SUBSCRIBE without body does to the running document (unload: RFC 4730).',
      ),
      default: LEG_DEFAULTS.kpmlBodylessRefresh,
    }),
    'kpml-default-pattern': switchField(
      place,
      LEG_DEFAULTS.kpmlDefaultPattern,
      'Gives a first SUBSCRIBE without body the pattern [x*#ABCD], persistent.',
    ),
    'kpml-tolerate-missing-state': switchField(
      place,
      LEG_DEFAULTS.kpmlTolerateMissingState,
      'Takes a NOTIFY without Subscription-State as active instead of answering 400.',
    ),
  };
}

function transferShape(place: Place) {
  return {
    refer: legField(place, {
      base: choice(
        ['relay', 'local', 'reject'],
        'What becomes of a REFER from this side: passed on to the other side, carried out here, or refused with 603.',
      ),
      default: LEG_DEFAULTS.refer,
    }),
    replaces: switchField(
      place,
      LEG_DEFAULTS.replaces,
      'Lets an INVITE with Replaces from this side take the place of one side of an answered call.',
    ),
  };
}

function inDialogShape(place: Place) {
  return {
    'in-dialog-info': legField(place, {
      base: choice(
        ['relay', 'reject'],
        'What becomes of an INFO from this side inside a call that is no digit: passed on to the other side, or refused with 405.',
      ),
      default: LEG_DEFAULTS.inDialogInfo,
    }),
    'in-dialog-message': legField(place, {
      base: choice(['relay', 'reject'], 'The same for MESSAGE inside a call.'),
      default: LEG_DEFAULTS.inDialogMessage,
    }),
  };
}

function routingShape(place: Place) {
  return {
    'follow-redirects': legField(place, {
      base: choice(
        ['agents', 'any', 'disabled'],
        'Where a 300, 301 or 302 from here may send the call: to configured session agents, to any address as well, or nowhere (the caller gets 480).',
      ),
      default: LEG_DEFAULTS.followRedirects,
    }),
    ...inDialogShape(place),
    ...transferShape(place),
    trust: legField(place, {
      base: choice(
        ['trusted', 'untrusted'],
        'Whether this side belongs to the trust domain of RFC 3325: its P-Asserted-Identity, Diversion and History-Info are believed, and it is shown identities that are withheld from others.',
      ),
      default: LEG_DEFAULTS.trust,
    }),
  };
}

function sessionShape(place: Place) {
  const fields = SESSION_TIMER_FIELDS;
  const base = LEG_DEFAULTS;
  return {
    'session-timer': legField(place, { base: fields.sessionTimer, default: base.sessionTimer }),
    'session-expires': legField(place, {
      base: fields.sessionExpires,
      default: base.sessionExpiresSeconds,
    }),
    'min-se': legField(place, { base: fields.minSe, default: base.minSeSeconds }),
    'session-refresher': legField(place, {
      base: fields.sessionRefresher,
      default: base.sessionRefresher,
    }),
    'dialog-ping': legField(place, { base: fields.dialogPing, default: base.dialogPingSeconds }),
  };
}

/** The per-leg keys as they may stand at `place`. */
export function legShape(place: Place) {
  return {
    ...interworkingShape(place),
    ...dtmfShape(place),
    ...kpmlShape(place),
    ...routingShape(place),
    ...sessionShape(place),
  };
}

type RawLeg = z.output<z.ZodObject<ReturnType<typeof legShape>>>;

export function buildLeg(raw: RawLeg): LegOverrides {
  return {
    kpmlInterworking: raw['kpml-interworking'],
    rfc2833Mode: raw['rfc2833-mode'],
    rfc2833Payload: raw['rfc2833-payload'],
    kpmlOnHairpin: raw['kpmlRFC2833-iwf-on-hairpin'],
    sipInfo: raw['sip-info'],
    kpmlSubscription: raw['kpml-subscription'],
    mediaSource: raw['media-source'],
    dtmfDurationMs: raw['dtmf-duration-ms'],
    dtmfGapMs: raw['dtmf-gap-ms'],
    dtmfPacketIntervalMs: raw['dtmf-packet-interval-ms'],
    dtmfDrainOnByeMs: raw['dtmf-drain-on-bye-ms'],
    dtmfRepairMovedEnd: raw['dtmf-repair-moved-end'],
    dtmfMergeWindowMs: raw['dtmf-merge-window-ms'],
    kpmlSubscribeExpiresSeconds: raw['kpml-subscribe-expires'],
    kpmlEventParameters: raw['kpml-event-parameters'],
    kpmlFlash: raw['kpml-flash'],
    kpmlBodylessRefresh: raw['kpml-bodyless-refresh'],
    kpmlDefaultPattern: raw['kpml-default-pattern'],
    kpmlTolerateMissingState: raw['kpml-tolerate-missing-state'],
    addSdpInvite: raw['add-sdp-invite'],
    followRedirects: raw['follow-redirects'],
    inDialogInfo: raw['in-dialog-info'],
    inDialogMessage: raw['in-dialog-message'],
    refer: raw.refer,
    replaces: raw.replaces,
    trust: raw.trust,
    sessionTimer: raw['session-timer'],
    sessionExpiresSeconds: raw['session-expires'],
    minSeSeconds: raw['min-se'],
    sessionRefresher: raw['session-refresher'],
    dialogPingSeconds: raw['dialog-ping'],
  };
}
