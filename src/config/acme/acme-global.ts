/** sip-config, media-manager and system-config -> the sections `sip` and `media`. */
import type { ElementReader } from './acme-reader.ts';
import type { AcmeSource } from './acme-source.ts';
import type { YamlEntry, YamlItem } from './acme-yaml.ts';

export interface GlobalBlock {
  readonly name: string;
  readonly item: YamlItem;
}

const MIN_MESSAGE_BYTES = 2048;
const MAX_MESSAGE_BYTES = 1_048_576;
const MAX_DATAGRAM_BYTES = 65_535;
const DAY_SECONDS = 86_400;

export function globalBlocks(source: AcmeSource): readonly GlobalBlock[] {
  const sip = source.all('sip-config').map((reader) => blockOf('sip', reader, sipEntries(reader)));
  const media = ['media-manager', 'media-manager-config']
    .flatMap((name) => source.all(name))
    .map((reader) => blockOf('media', reader, mediaEntries(reader)));
  return [sip[0], media[0]].filter((block) => block !== undefined);
}

function blockOf(name: string, reader: ElementReader, entries: readonly YamlEntry[]): GlobalBlock {
  reader.finish({
    fate: entries.length === 0 ? 'ignored' : 'carried',
    reason: entries.length === 0 ? 'all that counts is the default' : '',
  });
  return { name, item: { comments: [`line ${reader.line}: ${reader.where}`], entries } };
}

function sipEntries(reader: ElementReader): readonly YamlEntry[] {
  const entries: YamlEntry[] = [];
  const datagram = reader.number('max-udp-length');
  if (datagram !== undefined && datagram !== 1500) {
    const isPossible = datagram <= MAX_DATAGRAM_BYTES;
    if (isPossible) entries.push({ key: 'udp-size-limit', value: datagram });
    reader.carry(
      'max-udp-length',
      isPossible ? 'as udp-size-limit' : 'left at the default: no datagram is longer',
    );
  }
  const message = reader.number('sip-message-len');
  if (message !== undefined && message > MAX_DATAGRAM_BYTES) {
    const bytes = Math.min(Math.max(message, MIN_MESSAGE_BYTES), MAX_MESSAGE_BYTES);
    entries.push({ key: 'limits', value: [{ key: 'message-bytes', value: bytes }] });
    reader.carry('sip-message-len', 'as limits.message-bytes');
  } else reader.ignore('sip-message-len', 'longer messages are taken by default');
  for (const name of ['home-realm-id', 'egress-realm-id', 'dialog-transparency']) {
    if (reader.text(name) !== '')
      reader.ignore(name, 'each leg has its own dialog and its realm by policy');
  }
  return entries;
}

function mediaEntries(reader: ElementReader): readonly YamlEntry[] {
  const guard = reader.number('subsq-guard-timer') ?? 0;
  if (guard === 0) return [];
  const seconds = Math.min(guard, DAY_SECONDS);
  reader.carry('subsq-guard-timer', 'as inactivity-timeout');
  return [{ key: 'inactivity-timeout', value: `${seconds}s` }];
}
