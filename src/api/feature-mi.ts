/** JSON-RPC 2.0 with the method names of OpenSIPS MI, so that a portal written for it runs unchanged. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { FeatureOutcome } from '../feature-keys/feature-service.ts';
import { actorOf } from './feature-actor.ts';
import { type Counter, type FeatureDesk, isAnswer, sendAnswer } from './feature-desk.ts';
import { failed, type FeatureAnswer } from './feature-answers.ts';
import { POST_MI } from './feature-documents.ts';
import { featureNamed, readStatus, readValues } from './feature-request.ts';

/** A result, or an error with the codes of JSON-RPC (negative) and MI (like HTTP). */
type MiAnswer =
  | { readonly type: 'result'; readonly result: unknown }
  | { readonly type: 'error'; readonly code: number; readonly message: string };

interface MiRequest {
  readonly method: string;
  readonly parameters: unknown;
  /** Absent: a notification, which gets no answer. */
  readonly id: unknown;
}

type Parameters = Readonly<Record<string, unknown>>;

const OK: MiAnswer = { type: 'result', result: 'OK' };
const INVALID_PARAMETERS = miError(-32_602, 'Invalid params');
const INVALID_REQUEST = miError(-32_600, 'Invalid Request');
const BODY_LIMIT_BYTES = 64 * 1024;
const MAX_BATCH = 50;
const PACKAGE = 'as-feature-event';
const FULL_REFRESH = 1;

const SET_NAMES = ['presentity', 'feature', 'status', 'route_param', 'values'];
const REFRESH_NAMES = ['presentity', 'event', 'refresh_type'];

export function addMiRoute(app: FastifyInstance, desk: FeatureDesk): void {
  // The schema of the body is for the document.
  const limits = { bodyLimit: BODY_LIMIT_BYTES, validatorCompiler: () => () => true };
  app.post('/mi', { ...limits, schema: POST_MI }, async (request, reply) => {
    const features = desk.open();
    if (isAnswer(features) || !features.config.miCompat) {
      return sendAnswer(reply, failed(404, 'not-enabled', 'mi-compat is off'));
    }
    const answers = await answerAll(desk, request);
    if (isAnswer(answers)) return sendAnswer(reply, answers);
    const [first] = answers.list;
    if (first === undefined) return reply.code(204).send();
    return reply.send(answers.isBatch ? answers.list : first);
  });
}

interface Answers {
  readonly list: readonly object[];
  readonly isBatch: boolean;
}

async function answerAll(
  desk: FeatureDesk,
  request: FastifyRequest,
): Promise<Answers | FeatureAnswer> {
  let body: unknown;
  try {
    body = JSON.parse(typeof request.body === 'string' ? request.body : '');
  } catch {
    return { list: [frame(null, miError(-32_700, 'Parse error'))], isBatch: false };
  }
  const isBatch = Array.isArray(body);
  const items: readonly unknown[] = Array.isArray(body) ? body : [body];
  if (items.length === 0 || items.length > MAX_BATCH) {
    return { list: [frame(null, INVALID_REQUEST)], isBatch: false };
  }
  const list: object[] = [];
  for (const item of items) {
    const asked = readRequest(item);
    if (asked === undefined) {
      list.push(frame(null, INVALID_REQUEST));
      continue;
    }
    // In their order: a portal may set first and refresh then.
    const answer = await call(desk, request, asked);
    if (isAnswer(answer)) return answer;
    if (asked.id !== undefined) list.push(frame(asked.id, answer));
  }
  return { list, isBatch };
}

async function call(
  desk: FeatureDesk,
  request: FastifyRequest,
  { method, parameters }: MiRequest,
): Promise<MiAnswer | FeatureAnswer> {
  switch (method) {
    case 'presence_dfks:set_feature':
    case 'dfks_set_feature':
      return await setFeature(desk, request, named(parameters, SET_NAMES));
    case 'presence:refresh_watchers':
    case 'refresh_watchers':
      return await refreshWatchers(desk, request, named(parameters, REFRESH_NAMES));
    default:
      return miError(-32_601, 'Method not found');
  }
}

async function setFeature(
  desk: FeatureDesk,
  request: FastifyRequest,
  fields: Parameters | undefined,
): Promise<MiAnswer | FeatureAnswer> {
  if (fields === undefined) return INVALID_PARAMETERS;
  const { presentity, feature: name, status, route_param: param = null, values = [] } = fields;
  const isOn = readStatus(typeof status === 'string' ? numberOf(status) : status);
  if (typeof presentity !== 'string' || typeof name !== 'string' || isOn === undefined) {
    return INVALID_PARAMETERS;
  }
  if (param !== null && typeof param !== 'string') return INVALID_PARAMETERS;
  const feature = featureNamed(name);
  if (feature === undefined) return miError(400, 'Unknown feature');
  const value = readValues(values, feature);
  if ('type' in value) return miError(400, value.message);
  const counter = desk.account(presentity);
  if (isAnswer(counter)) return refusedBy(counter);
  const limited = desk.admit(request, counter.features);
  if (limited !== undefined) return limited;
  const actor = actorOf(request, param);
  const { service } = counter.features;
  const requested = { status: isOn, ...value };
  return outcomeOf(await service.set(counter.presentity, feature, requested, actor));
}

async function refreshWatchers(
  desk: FeatureDesk,
  request: FastifyRequest,
  fields: Parameters | undefined,
): Promise<MiAnswer | FeatureAnswer> {
  if (fields === undefined) return INVALID_PARAMETERS;
  const { presentity, event, refresh_type: type } = fields;
  if (typeof presentity !== 'string' || typeof event !== 'string') return INVALID_PARAMETERS;
  if (event !== PACKAGE) return miError(404, 'Event not found');
  const wanted = typeof type === 'string' ? numberOf(type) : type;
  if (wanted !== FULL_REFRESH) return miError(400, 'Only refresh type 1 is there');
  const counter = desk.account(presentity);
  if (isAnswer(counter)) return refusedBy(counter);
  const limited = desk.admit(request, counter.features);
  return limited ?? (await refresh(counter, request));
}

async function refresh(counter: Counter, request: FastifyRequest): Promise<MiAnswer> {
  const { features, presentity } = counter;
  const outcome = await features.service.refresh(presentity, actorOf(request));
  if (outcome.type === 'refreshed') return OK;
  return outcome.type === 'unknown-account' ? miError(404, 'Unknown account') : STORE_FAILED;
}

function outcomeOf(outcome: FeatureOutcome): MiAnswer {
  if (outcome.type === 'applied' || outcome.type === 'unchanged') return OK;
  if (outcome.type === 'refused') return miError(409, `Refused: ${outcome.code}`);
  return outcome.type === 'unknown-account' ? miError(404, 'Unknown account') : STORE_FAILED;
}

const STORE_FAILED = miError(500, 'Internal Error');

function refusedBy({ status, body }: FeatureAnswer): MiAnswer {
  return miError(status, body.error?.message ?? 'Refused');
}

function readRequest(item: unknown): MiRequest | undefined {
  if (typeof item !== 'object' || item === null || Array.isArray(item)) return undefined;
  const fields: Parameters = { ...item };
  const { jsonrpc, method, params: parameters = {}, id } = fields;
  if (jsonrpc !== '2.0' || typeof method !== 'string') return undefined;
  const isId = id === undefined || id === null || ['string', 'number'].includes(typeof id);
  return isId ? { method, parameters, id } : undefined;
}

/** Parameters come by name or in their order; an unknown or surplus one is a mistake. */
function named(parameters: unknown, names: readonly string[]): Parameters | undefined {
  if (typeof parameters !== 'object' || parameters === null) return undefined;
  if (Array.isArray(parameters)) {
    const list: readonly unknown[] = parameters;
    if (list.length > names.length) return undefined;
    return Object.fromEntries(list.map((value, index) => [names[index] ?? '', value]));
  }
  const fields: Parameters = { ...parameters };
  return Object.keys(fields).every((name) => names.includes(name)) ? fields : undefined;
}

function numberOf(text: string): number | undefined {
  return /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}

function frame(id: unknown, answer: MiAnswer): object {
  if (answer.type === 'result') return { jsonrpc: '2.0', result: answer.result, id };
  const { code, message } = answer;
  return { jsonrpc: '2.0', error: { code, message }, id };
}

function miError(code: number, message: string): MiAnswer {
  return { type: 'error', code, message };
}
