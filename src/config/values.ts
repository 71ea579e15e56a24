/**
 * Building blocks of the schema. The YAML reader hands over every scalar as text, so each block turns text into its
 * value itself and describes, for editors, what the text may be.
 */
import { BlockList, isIP } from 'node:net';
import * as z from 'zod';
import { type HostPort, parseHostPort, parseSipPort } from './address.ts';
import type { SipPort } from './config.ts';
import { formatDuration, parseDurationMs } from './duration.ts';
import { patternProblem } from './pattern.ts';
import { nearest } from './suggestion.ts';

/** JSON Schema keywords of one value; `description` carries meaning, unit and reason. */
export interface Facts {
  readonly description: string;
  readonly [keyword: string]: unknown;
}

export type Conversion<T> =
  | { readonly type: 'value'; readonly value: T }
  | { readonly type: 'problem'; readonly message: string; readonly suggestion?: string };

export type Scalar<T> = z.ZodPipe<z.ZodString, z.ZodTransform<T, string>>;

/** A scalar whose text is turned into `T` by `convert`. */
export function scalar<T>(facts: Facts, convert: (text: string) => Conversion<T>): Scalar<T> {
  return z
    .string()
    .transform((text, context): T => {
      const result = convert(text);
      if (result.type === 'value') return result.value;
      context.issues.push({
        code: 'custom',
        message: result.message,
        input: text,
        params: { suggestion: result.suggestion },
      });
      return z.NEVER;
    })
    .meta({ type: 'string', ...facts });
}

function value<T>(result: T): Conversion<T> {
  return { type: 'value', value: result };
}

function problem(message: string): { type: 'problem'; message: string } {
  return { type: 'problem', message };
}

export function anyText(description: string): Scalar<string> {
  return scalar({ description }, value);
}

export function nonEmptyText(description: string): Scalar<string> {
  return scalar({ description, minLength: 1 }, (text) =>
    text === '' ? problem('may not be empty') : value(text),
  );
}

/** Name of a realm, interface, agent or group; also a metric label. */
export function entityName(description: string): Scalar<string> {
  const form = '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$';
  return scalar({ description, pattern: form }, (text) =>
    new RegExp(form).test(text)
      ? value(text)
      : problem(`"${text}" is no name: letters, digits, ".", "_" and "-", at most 64`),
  );
}

/** A secret: may hold `${VARIABLE}` or be `file:PATH`, which is resolved before the schema runs. */
export function secret(description: string): Scalar<string> {
  return scalar({ description, writeOnly: true }, value);
}

export function choice<const T extends string>(
  values: readonly T[],
  description: string,
): Scalar<T> {
  return scalar({ description, enum: values }, (text) => {
    const found = values.find((known) => known === text);
    if (found !== undefined) return value(found);
    const suggestion = nearest(text, values);
    const message = `"${text}" is not one of ${values.join(', ')}`;
    return suggestion === undefined
      ? problem(message)
      : { type: 'problem', message, suggestion: `did you mean "${suggestion}"?` };
  });
}

export function flag(description: string): Scalar<boolean> {
  return scalar({ description, type: 'boolean' }, (text) =>
    text === 'true' || text === 'false'
      ? value(text === 'true')
      : problem(`"${text}" is neither true nor false`),
  );
}

/** Whole number from `minimum` to `maximum`; a unit that the key already carries may be repeated. */
export function integer(
  range: { minimum: number; maximum: number; unit?: string },
  description: string,
): Scalar<number> {
  const { minimum, maximum, unit = '' } = range;
  return scalar({ description, type: 'integer', minimum, maximum }, (text) => {
    const digits = unit !== '' && text.endsWith(unit) ? text.slice(0, -unit.length) : text;
    const number = /^\d{1,12}$/.test(digits) ? Number(digits) : Number.NaN;
    return number >= minimum && number <= maximum
      ? value(number)
      : problem(`"${text}" is no whole number from ${minimum} to ${maximum}`);
  });
}

/** Duration with its unit, kept in milliseconds. */
export function duration(
  range: { minimumMs: number; maximumMs: number },
  description: string,
): Scalar<number> {
  const { minimumMs, maximumMs } = range;
  const form = '^(0|[0-9]+(ms|s|m|h|d))$';
  return scalar({ description, pattern: form }, (text) => {
    const durationMs = parseDurationMs(text);
    if (durationMs === undefined) {
      return problem(`"${text}" is no duration: a whole number with ms, s, m, h or d`);
    }
    if (durationMs < minimumMs || durationMs > maximumMs) {
      const limits = `${formatDuration(minimumMs)} to ${formatDuration(maximumMs)}`;
      return problem(`"${text}" is outside ${limits}`);
    }
    return value(durationMs);
  });
}

export function ipAddress(description: string): Scalar<string> {
  return scalar({ description }, (text) =>
    isIP(text) === 0 ? problem(`"${text}" is no IP address`) : value(text),
  );
}

export function hostPort(description: string): Scalar<HostPort> {
  return scalar({ description }, (text) => {
    const parsed = parseHostPort(text);
    return parsed === undefined || parsed.port === 0
      ? problem(`"${text}" is no address: IP or host name, then optionally ":" and a port`)
      : value(parsed);
  });
}

/** Local address to listen on: an IP literal and a port, 0 for one chosen by the system. */
export function listenAddress(description: string): Scalar<{ address: string; port: number }> {
  return scalar({ description }, (text) => {
    const parsed = parseHostPort(text);
    return parsed?.port === undefined || isIP(parsed.host) === 0
      ? problem(`"${text}" is no listen address such as 127.0.0.1:8080 or [::1]:8080`)
      : value({ address: parsed.host, port: parsed.port });
  });
}

export function sipPort(description: string): Scalar<SipPort> {
  const form = '^(udp|tcp|tls)/.+:[0-9]{1,5}$';
  return scalar({ description, pattern: form }, (text) => {
    const parsed = parseSipPort(text);
    return parsed === undefined
      ? problem(`"${text}" is no SIP port such as udp/127.0.0.1:5060 or tls/[::1]:5061`)
      : value(parsed);
  });
}

/** Regular expression in the restricted syntax of pattern.ts, kept as text. */
export function pattern(description: string): Scalar<string> {
  return scalar({ description, minLength: 1, format: 'regex' }, (text) => {
    const reason = text === '' ? 'it is empty' : patternProblem(text);
    return reason === undefined ? value(text) : problem(`"${text}" is no pattern: ${reason}`);
  });
}

/** Network in CIDR notation or a single address. */
export function network(description: string): Scalar<string> {
  return scalar({ description }, (text) =>
    addNetwork(new BlockList(), text)
      ? value(text)
      : problem(`"${text}" is no network such as 192.0.2.0/24 or 2001:db8::/32`),
  );
}

/** Adds a network or a single address to `list`; false when the text is neither. */
export function addNetwork(list: BlockList, text: string): boolean {
  const [address = '', bits, ...rest] = text.split('/');
  const version = isIP(address);
  if (version === 0 || rest.length > 0) return false;
  const family = version === 4 ? 'ipv4' : 'ipv6';
  const width = version === 4 ? 32 : 128;
  if (bits === undefined) {
    list.addAddress(address, family);
    return true;
  }
  if (!/^\d{1,3}$/.test(bits) || Number(bits) > width) return false;
  list.addSubnet(address, Number(bits), family);
  return true;
}
