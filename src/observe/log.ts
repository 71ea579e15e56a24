/**
 * The JSON log: one line per event, one child logger per call, no credential and no digit in clear.
 *
 * Values are masked by the name of their key at any depth, and every text (message, error, SIP message) is searched
 * for header lines and bodies that carry secrets. A digit put into the message text by hand cannot be recognised:
 * digits belong into the field `digit` or `digits`.
 */
import { pino } from 'pino';
import type { DestinationStream, Logger } from 'pino';
import { maskDigits, maskText, REDACTED } from './mask.ts';
import type { MaskOptions } from './mask.ts';

export type Log = Logger;

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** What each line about a call carries. */
export interface CallLogFields {
  /** Our call id. */
  readonly callId: string;
  /** SIP Call-ID of the caller's leg. */
  readonly legA?: string;
  /** SIP Call-ID of the callee's leg. */
  readonly legB?: string;
  /** Name of the caller's session agent. */
  readonly agent?: string;
  /** Of the caller. */
  readonly realm?: string;
}

/** Keys compared in lower case without `-` and `_`. */
const SECRET_KEYS: ReadonlySet<string> = new Set([
  'authorization',
  'proxyauthorization',
  'secret',
  'secrets',
  'ha1',
  'token',
  'password',
  'apitoken',
  'cookie',
]);
const DIGIT_KEYS: ReadonlySet<string> = new Set(['digit', 'digits']);

/** Deeper values and longer lists are cut: a log line is no place for a whole object graph. */
const DEPTH_LIMIT = 6;
const ITEMS_LIMIT = 100;

/** A logger that writes to `stream`, by default to standard output. */
export function createLog(
  level: LogLevel,
  stream?: DestinationStream,
  options: MaskOptions = { showDigits: false },
): Log {
  const redact = (value: object): Record<string, unknown> => redactFields(value, options, 0);
  const log = pino(
    {
      level,
      base: null,
      // Errors were already turned into plain fields by the formatter, which sees them first.
      serializers: { err: (value: unknown) => value },
      formatters: { log: redact },
      hooks: {
        logMethod(parameters, method) {
          Reflect.apply(method, this, maskArguments(parameters, options));
        },
      },
    },
    stream ?? pino.destination({ dest: 1, sync: false }),
  );
  // pino runs no formatter over the fields of a child; children inherit this method, so all of them pass here.
  const prototype: Pick<Log, 'child'> = Object.getPrototypeOf(log);
  return Object.assign(log, {
    child(this: Log, fields: object, ...rest: readonly unknown[]): Log {
      return Reflect.apply(prototype.child, this, [redact(fields), ...rest]);
    },
  });
}

/** The child logger of one call. */
export function callLog(log: Log, fields: CallLogFields): Log {
  return log.child({ ...fields });
}

function maskArguments(parameters: readonly unknown[], options: MaskOptions): unknown[] {
  const [first, ...rest] = parameters;
  // pino would copy the message of a lone error unmasked.
  if (first instanceof Error && rest.length === 0) {
    return [{ err: first }, maskText(first.message, options)];
  }
  return parameters.map((value) => (typeof value === 'string' ? maskText(value, options) : value));
}

function redactFields(
  source: object,
  options: MaskOptions,
  depth: number,
): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  const entries = Object.entries(source);
  const isSecretHeader = 'name' in source && isSecretName(source.name);
  for (const [key, value] of entries.slice(0, ITEMS_LIMIT)) {
    fields[key] =
      isSecretHeader && key === 'value' ? REDACTED : redactField(key, value, { options, depth });
  }
  return fields;
}

interface Position {
  readonly options: MaskOptions;
  readonly depth: number;
}

function redactField(key: string, value: unknown, at: Position): unknown {
  if (isSecretName(key) && isFilled(value)) return REDACTED;
  if (DIGIT_KEYS.has(plainName(key)) && !at.options.showDigits) {
    // A number under this name is a count.
    if (typeof value === 'string') return maskDigits(value);
    if (Array.isArray(value)) return value.map((item) => maskDigits(String(item)));
  }
  return redactValue(value, at);
}

function redactValue(value: unknown, { options, depth }: Position): unknown {
  if (typeof value === 'string') return maskText(value, options);
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (depth >= DEPTH_LIMIT) return '[deeper]';
  const inner = { options, depth: depth + 1 };
  if (value instanceof Error) return redactError(value, inner);
  if (Array.isArray(value)) {
    return value.slice(0, ITEMS_LIMIT).map((item) => redactValue(item, inner));
  }
  if ('toJSON' in value && typeof value.toJSON === 'function') {
    return redactValue(value.toJSON(), inner);
  }
  return redactFields(value, options, inner.depth);
}

function redactError(error: Error, at: Position): Record<string, unknown> {
  return {
    ...redactFields(error, at.options, at.depth),
    type: error.name,
    message: maskText(error.message, at.options),
    stack: maskText(error.stack ?? '', at.options),
    ...(error.cause === undefined ? {} : { cause: redactValue(error.cause, at) }),
  };
}

function isSecretName(name: unknown): boolean {
  return typeof name === 'string' && SECRET_KEYS.has(plainName(name));
}

function plainName(name: string): string {
  return name.toLowerCase().replaceAll(/[-_]/g, '');
}

function isFilled(value: unknown): boolean {
  return value !== undefined && value !== null && value !== '';
}
