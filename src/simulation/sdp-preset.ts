/** Session descriptions by short names: `g711+2833`, `g722+g711a+2833:96`, `none`. */
import type { SdpCodec, SdpSource } from './scenario.ts';

const CODECS: Readonly<Record<string, readonly SdpCodec[]>> = {
  g711: [
    { payloadType: 0, name: 'PCMU', clockRate: 8000 },
    { payloadType: 8, name: 'PCMA', clockRate: 8000 },
  ],
  g711u: [{ payloadType: 0, name: 'PCMU', clockRate: 8000 }],
  g711a: [{ payloadType: 8, name: 'PCMA', clockRate: 8000 }],
  g722: [{ payloadType: 9, name: 'G722', clockRate: 8000 }],
  g729: [{ payloadType: 18, name: 'G729', clockRate: 8000 }],
  opus: [{ payloadType: 111, name: 'opus', clockRate: 48_000 }],
};

export const PRESET_WORDS = [...Object.keys(CODECS), '2833', '2833:PAYLOAD-TYPE', 'none'];

const DEFAULT_EVENTS = 101;

/** Reads a preset; gives the word that is none. */
export function parsePreset(
  text: string,
): SdpSource | { readonly type: 'unknown'; readonly word: string } {
  if (text === 'none') return { type: 'none' };
  const codecs: SdpCodec[] = [];
  let eventPayloadType: number | undefined;
  for (const word of text.split('+')) {
    const events = /^2833(?::(9[6-9]|1[01]\d|12[0-7]))?$/.exec(word);
    const known = Object.hasOwn(CODECS, word) ? CODECS[word] : undefined;
    if (events !== null) eventPayloadType = Number(events[1] ?? DEFAULT_EVENTS);
    else if (known === undefined) return { type: 'unknown', word };
    else codecs.push(...known);
  }
  return codecs.length === 0
    ? { type: 'unknown', word: text }
    : { type: 'preset', codecs, eventPayloadType };
}
