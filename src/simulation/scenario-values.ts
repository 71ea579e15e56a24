/** Values of a scenario file that configurations do not have. */
import { nearest } from '../config/suggestion.ts';
import { parseDurationMs } from '../config/duration.ts';
import { scalar, type Scalar } from '../config/values.ts';
import { parseSdp } from '../wire/sdp.ts';
import { parseNameAddr, splitHeaderList } from '../wire/sip-headers.ts';
import { FEATURES, type Feature } from '../wire/feature-event.ts';
import type { CalleeScript, SdpSource, TimedStatus } from './scenario.ts';
import { parsePreset, PRESET_WORDS } from './sdp-preset.ts';

/** Reads a file that a scenario names, relative to its own place. */
export type ReadFile = (name: string) => string;

const DEFAULT_ANSWER_MS = 1000;

export function keys(description: string): Scalar<string> {
  return scalar({ description, pattern: '^[0-9*#A-DR]+$' }, (text) =>
    /^[0-9*#A-DR]+$/.test(text)
      ? { type: 'value', value: text }
      : { type: 'problem', message: `"${text}" is no row of keys: 0-9, *, #, A-D, R` },
  );
}

/** `30%`, as a share of 1. */
export function percentage(description: string): Scalar<number> {
  return scalar({ description, pattern: '^[0-9]{1,3}%$' }, (text) => {
    const share = /^\d{1,3}%$/.test(text) ? Number(text.slice(0, -1)) / 100 : Number.NaN;
    return share >= 0 && share <= 1
      ? { type: 'value', value: share }
      : { type: 'problem', message: `"${text}" is no percentage from 0% to 100%` };
  });
}

/** RFC 3339, as ms since 1970. */
export function moment(description: string): Scalar<number> {
  return scalar({ description, format: 'date-time' }, (text) => {
    const atMs = Date.parse(text);
    return Number.isNaN(atMs)
      ? { type: 'problem', message: `"${text}" is no time such as 2026-01-05T12:00:00Z` }
      : { type: 'value', value: atMs };
  });
}

/** A preset, `file:NAME` or a whole session description. */
export function sdpSource(readFile: ReadFile, description: string): Scalar<SdpSource> {
  return scalar({ description }, (text) => {
    if (text.startsWith('v=0')) return sdpText(text);
    if (text.startsWith('file:')) return sdpFile(text.slice('file:'.length), readFile);
    const preset = parsePreset(text);
    if (preset.type !== 'unknown') return { type: 'value', value: preset };
    const near = nearest(preset.word, PRESET_WORDS);
    const message = `"${preset.word}" is neither "file:NAME", a text that begins with v=0, nor one of ${PRESET_WORDS.join(', ')} joined by "+"`;
    return near === undefined
      ? { type: 'problem', message }
      : { type: 'problem', message, suggestion: `did you mean "${near}"?` };
  });
}

/** `200`, `486 after 2s`, `silent`, `unreachable`. */
export function answer(description: string): Scalar<CalleeScript['answers']> {
  return scalar<CalleeScript['answers']>({ description }, (text) => {
    if (text === 'silent' || text === 'unreachable') return { type: 'value', value: text };
    const timed = parseTimed(text, DEFAULT_ANSWER_MS);
    const isFinal = timed !== undefined && timed.status >= 200;
    return isFinal
      ? { type: 'value', value: timed }
      : {
          type: 'problem',
          message: `"${text}" is no final answer such as "200 after 2s", "486", silent or unreachable`,
        };
  });
}

/** `180`, `183 after 300ms`, `none`. */
export function ringing(description: string): Scalar<TimedStatus | undefined> {
  return scalar({ description }, (text) => {
    if (text === 'none') return { type: 'value', value: undefined };
    const timed = parseTimed(text, 0);
    const isProvisional = timed !== undefined && timed.status > 100 && timed.status < 200;
    return isProvisional
      ? { type: 'value', value: timed }
      : { type: 'problem', message: `"${text}" is no 1xx such as "180 after 200ms", or none` };
  });
}

/** One or more URIs or name-addrs with commas between them, as the value of a Contact header. */
export function contacts(description: string): Scalar<string> {
  return scalar({ description, minLength: 1 }, (text) => {
    try {
      const value = splitHeaderList(text).map(contactOf).join(', ');
      if (value !== '') return { type: 'value', value };
      return { type: 'problem', message: 'may not be empty' };
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      return { type: 'problem', message: `"${text}" is no contact: ${why}` };
    }
  });
}

/** @throws WireError when `text` is neither a URI nor a name-addr. */
function contactOf(text: string): string {
  const value = text.includes('<') ? text : bracketed(text);
  parseNameAddr(value);
  return value;
}

/** Without brackets a parameter is one of the URI, but for those that only a Contact has (RFC 3261 §20.10). */
function bracketed(text: string): string {
  const [, uri = '', parameters = ''] =
    /^(.*?)((?:;(?:q|expires)=[^;]*)*)$/is.exec(text.trim()) ?? [];
  return `<${uri}>${parameters}`;
}

export function featureName(text: string): Feature | undefined {
  return FEATURES.find((feature) => feature === text);
}

function parseTimed(text: string, defaultMs: number): TimedStatus | undefined {
  const [, status = '', after = `${defaultMs}ms`] =
    /^([1-6]\d\d)(?:\s+after\s+(\S+))?$/.exec(text) ?? [];
  const afterMs = parseDurationMs(after);
  return status === '' || afterMs === undefined ? undefined : { status: Number(status), afterMs };
}

function sdpFile(name: string, readFile: ReadFile): ReturnType<typeof sdpText> {
  try {
    return sdpText(readFile(name));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { type: 'problem', message: `${name} cannot be read: ${why}` };
  }
}

function sdpText(
  text: string,
):
  | { readonly type: 'value'; readonly value: SdpSource }
  | { readonly type: 'problem'; readonly message: string } {
  try {
    parseSdp(text);
    return { type: 'value', value: { type: 'text', text } };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { type: 'problem', message: `no session description: ${why}` };
  }
}
