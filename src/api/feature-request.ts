/** Reads what a client asks of the feature keys; strict, so that a slip changes nothing. */
import type {
  FeatureFlags,
  HistoryQuery,
  RequestedFeature,
} from '../feature-keys/feature-state.ts';
import { FEATURES, type Feature } from '../wire/feature-event.ts';

/** A request that was not understood; `message` is for the client. */
export interface BadRequest {
  readonly type: 'bad';
  readonly message: string;
}

export interface FeatureWrite {
  readonly type: 'write';
  readonly requested: RequestedFeature;
  readonly param: string | null;
}

type Fields = Readonly<Record<string, unknown>>;
type Value = Pick<RequestedFeature, 'forwardTo' | 'ringCount'>;

const MAX_TARGET_LENGTH = 256;
const MAX_PARAM_LENGTH = 1024;
const MAX_WAIT_SECONDS = 60;
const MAX_HISTORY_ROWS = 1000;
const DEFAULT_HISTORY_ROWS = 100;

export function featureNamed(name: string): Feature | undefined {
  return FEATURES.find((feature) => feature === name);
}

/** The JSON object in `body`. */
export function readObject(body: unknown): BadRequest | { type: 'object'; fields: Fields } {
  if (typeof body !== 'string' || body.trim() === '') return bad('a JSON object is needed');
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return bad('the body is no JSON');
  }
  return isObject(value) ? { type: 'object', fields: value } : bad('the body is no JSON object');
}

/** A body that may be left out and has no members to say. */
export function readNothing(body: unknown): { type: 'nothing' } | BadRequest {
  if (body === undefined || body === null) return { type: 'nothing' };
  if (typeof body === 'string' && body.trim() === '') return { type: 'nothing' };
  const object = readObject(body);
  if (object.type === 'bad') return object;
  const [stray] = Object.keys(object.fields);
  return stray === undefined ? { type: 'nothing' } : bad(`unknown field ${JSON.stringify(stray)}`);
}

/** `{status, forwardTo?, ringCount?, param?}`, or the values as in MI under `values`. */
export function readWrite(fields: Fields, feature: Feature): FeatureWrite | BadRequest {
  const known = ['status', 'forwardTo', 'ringCount', 'param', 'values'];
  const unknown = Object.keys(fields).find((name) => !known.includes(name));
  if (unknown !== undefined) return bad(`unknown field ${JSON.stringify(unknown)}`);
  const { status, values, param = null, ...plain } = fields;
  if (status === undefined) return bad('status is missing');
  const isOn = readStatus(status);
  if (isOn === undefined) return bad('status is neither true, false, 1 nor 0');
  if (param !== null && (typeof param !== 'string' || param.length > MAX_PARAM_LENGTH)) {
    return bad(`param is no text of at most ${MAX_PARAM_LENGTH} characters`);
  }
  if (values !== undefined && Object.keys(plain).length > 0) {
    return bad('either values, or forwardTo and ringCount by themselves');
  }
  const value = values === undefined ? readValue(plain, feature) : readValues(values, feature);
  if ('type' in value) return value;
  return { type: 'write', requested: { status: isOn, ...value }, param };
}

/** Both forms that MI has: an object, or a list of `field/value`. */
export function readValues(values: unknown, feature: Feature): Value | BadRequest {
  if (!Array.isArray(values)) {
    if (!isObject(values)) return bad('values is neither an object nor a list');
    return readValue(values, feature, { isTextual: true });
  }
  const fields: Record<string, unknown> = {};
  for (const entry of values as readonly unknown[]) {
    const slash = typeof entry === 'string' ? entry.indexOf('/') : -1;
    if (typeof entry !== 'string' || slash < 0) return bad('a value has no "/"');
    const name = entry.slice(0, slash);
    if (Object.hasOwn(fields, name)) return bad(`${JSON.stringify(name)} stands there twice`);
    // Nothing behind the slash: what is stored stays, as for an empty element of a phone.
    const text = entry.slice(slash + 1).trim();
    Object.defineProperty(fields, name, {
      value: text === '' ? undefined : text,
      enumerable: true,
    });
  }
  return readValue(fields, feature, { isTextual: true });
}

/** @returns what of `forwardTo` and `ringCount` stands there; `isTextual`: a count may be written as text. */
function readValue(
  fields: Fields,
  feature: Feature,
  { isTextual = false } = {},
): Value | BadRequest {
  for (const name of Object.keys(fields)) {
    if (name !== 'forwardTo' && name !== 'ringCount') {
      return bad(`unknown field ${JSON.stringify(name)}`);
    }
    if (!fieldsOf(feature).includes(name)) return bad(`${feature} has no ${name}`);
  }
  const { forwardTo, ringCount } = fields;
  const target = forwardTo === undefined ? {} : readTarget(forwardTo);
  if ('type' in target) return target;
  const count = ringCount === undefined ? {} : readRings(ringCount, isTextual);
  if ('type' in count) return count;
  return { ...target, ...count };
}

function fieldsOf(feature: Feature): readonly string[] {
  if (feature === 'DoNotDisturb') return [];
  return feature === 'CallForwardingNoAnswer' ? ['forwardTo', 'ringCount'] : ['forwardTo'];
}

function readTarget(value: unknown): Pick<Value, 'forwardTo'> | BadRequest {
  if (value === null) return { forwardTo: null };
  if (typeof value !== 'string') return bad('forwardTo is neither text nor null');
  const text = value.trim();
  if (text === '') return bad('forwardTo is empty; null clears it');
  if (text.length > MAX_TARGET_LENGTH) {
    return bad(`forwardTo is longer than ${MAX_TARGET_LENGTH} characters`);
  }
  if (/[\p{Cc}\u{fffd}]/u.test(text)) return bad('forwardTo has control characters');
  return { forwardTo: text };
}

/** Whether the count is one that may be had is not decided here. */
function readRings(value: unknown, isTextual: boolean): Pick<Value, 'ringCount'> | BadRequest {
  if (value === null) return { ringCount: null };
  const count =
    isTextual && typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : value;
  if (typeof count !== 'number' || !Number.isSafeInteger(count)) {
    return bad('ringCount is neither a whole number nor null');
  }
  return { ringCount: count };
}

/** As JSON or MI has it. */
export function readStatus(value: unknown): boolean | undefined {
  if (typeof value === 'boolean') return value;
  if (value === 1 || value === 0) return value === 1;
  return undefined;
}

/** `{assigned?, locked?}`, at least one of them. */
export function readFlags(fields: Fields): { type: 'flags'; flags: FeatureFlags } | BadRequest {
  const flags: { assigned?: boolean; locked?: boolean } = {};
  for (const [name, value] of Object.entries(fields)) {
    if (name !== 'assigned' && name !== 'locked') {
      return bad(`unknown field ${JSON.stringify(name)}`);
    }
    if (typeof value !== 'boolean') return bad(`${name} is neither true nor false`);
    flags[name] = value;
  }
  if (Object.keys(flags).length === 0) return bad('neither assigned nor locked is there');
  return { type: 'flags', flags };
}

/** The version of an If-Match header; `undefined`: any. A list names more than one: it is not understood. */
export function readIfMatch(
  header: string | undefined,
): { type: 'version'; ifVersion?: number } | BadRequest {
  if (header === undefined || header.trim() === '*') return { type: 'version' };
  const digits = /^\s*(?:"(\d{1,15})"|(\d{1,15}))\s*$/.exec(header);
  if (digits === null) return bad('If-Match is no version such as "7"');
  return { type: 'version', ifVersion: Number(digits[1] ?? digits[2]) };
}

/** Seconds for which an answer waits for the phones; 0: not at all. */
export function readWait(text: unknown): { type: 'wait'; seconds: number } | BadRequest {
  if (text === undefined) return { type: 'wait', seconds: 0 };
  const isNumber = typeof text === 'string' && /^\d{1,4}(?:\.\d{1,3})?$/.test(text);
  if (!isNumber) return bad('wait is no number of seconds');
  const seconds = Number(text);
  return { type: 'wait', seconds: Math.min(seconds, MAX_WAIT_SECONDS) };
}

export interface HistoryText {
  readonly feature?: string;
  readonly from?: string;
  readonly to?: string;
  readonly limit?: string;
  readonly before?: string;
}

/** Parameters of `HistoryText`. */
export const HISTORY_PARAMETERS = ['feature', 'from', 'to', 'limit', 'before'];

export function readHistoryQuery(
  text: HistoryText,
): { type: 'query'; query: HistoryQuery } | BadRequest {
  const feature = text.feature === undefined ? undefined : featureNamed(text.feature);
  if (text.feature !== undefined && feature === undefined) return bad('unknown feature');
  const from = readTime(text.from);
  const to = readTime(text.to);
  if (from === null || to === null) return bad('from or to is no time of RFC 3339');
  const limit = readCount(text.limit, DEFAULT_HISTORY_ROWS);
  const before = readCount(text.before, 0);
  if (limit === undefined || before === undefined) return bad('limit or before is no number');
  if (limit < 1 || limit > MAX_HISTORY_ROWS) {
    return bad(`limit is not between 1 and ${MAX_HISTORY_ROWS}`);
  }
  return {
    type: 'query',
    query: {
      ...(feature === undefined ? {} : { feature }),
      ...(from === undefined ? {} : { from }),
      ...(to === undefined ? {} : { to }),
      limit,
      ...(text.before === undefined ? {} : { before }),
    },
  };
}

/** In the one spelling that the history has; null: no time. */
function readTime(text: string | undefined): string | undefined | null {
  if (text === undefined) return undefined;
  // A plus sign in a query arrives as a blank.
  const plus = text.replace(/ (?=\d\d:\d\d$)/, '+');
  const isTime = /^\d{4}-\d\d-\d\d(?:[Tt]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:[Zz]|[+-]\d\d:\d\d))?$/;
  const ms = isTime.test(plus) ? Date.parse(plus.toUpperCase()) : Number.NaN;
  return Number.isNaN(ms) ? null : new Date(ms).toISOString();
}

function readCount(text: string | undefined, otherwise: number): number | undefined {
  if (text === undefined) return otherwise;
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function bad(message: string): BadRequest {
  return { type: 'bad', message };
}
