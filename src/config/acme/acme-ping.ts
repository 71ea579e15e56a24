/** Health of agents: ping-* and out-service-response-codes. */
import type { ElementReader } from './acme-reader.ts';
import type { YamlEntry } from './acme-yaml.ts';

const DAY_SECONDS = 86_400;
const MAX_CODES = 64;

/** Pings need a method and an interval. */
export function hasPings(reader: ElementReader): boolean {
  return reader.text('ping-method') !== '' && (reader.number('ping-interval') ?? 0) > 0;
}

/** `failures`: how many unanswered pings take the agent out, where an option says so. */
export function pingEntries(
  reader: ElementReader,
  failures: number | undefined,
): readonly YamlEntry[] {
  const method = reader.text('ping-method');
  const interval = reader.number('ping-interval') ?? 0;
  if (!hasPings(reader)) {
    for (const name of ['ping-method', 'ping-interval'])
      reader.ignore(name, 'no pings without method and interval');
    reader.ignore('in-service-period', 'counts for agents with pings alone');
    return [];
  }
  const isOptions = method.toUpperCase().startsWith('OPTIONS');
  reader.carry('ping-method', isOptions ? undefined : 'pings are OPTIONS');
  reader.carry('ping-interval', interval > DAY_SECONDS ? 'a day at most' : undefined);
  reader.ignore('ping-send-mode', 'pings are sent beside calls too');
  if (reader.text('ping-in-service-response-codes') !== '') {
    reader.lose(
      'ping-in-service-response-codes',
      'all answers but out-service-response-codes prove that it is alive',
      'list the bad ones there',
    );
  }
  return [
    {
      key: 'options-ping',
      value: [
        { key: 'interval', value: `${Math.min(interval, DAY_SECONDS)}s` },
        ...(failures === undefined ? [] : [{ key: 'down-after', value: failures }]),
        ...upAfter(reader, interval),
      ],
    },
  ];
}

/** in-service-period is a time; here answers in a row count. */
function upAfter(reader: ElementReader, interval: number): readonly YamlEntry[] {
  const period = reader.number('in-service-period') ?? 0;
  if (period === 0) return [];
  const answers = Math.min(100, Math.ceil(period / interval) + 1);
  reader.carry('in-service-period', `as up-after: ${answers} answers in a row`);
  return [{ key: 'up-after', value: answers }];
}

/** `408,500-503` as a list of final codes. */
export function outServiceCodes(reader: ElementReader): readonly YamlEntry[] {
  const parameter = 'out-service-response-codes';
  const written = reader.list(parameter);
  if (written.length === 0) return [];
  const codes = new Set<number>();
  for (const part of written) {
    const [low = Number.NaN, high = low] = part.split('-').map(Number);
    if (!Number.isInteger(low) || !Number.isInteger(high) || low < 300 || high > 699) {
      reader.lose(parameter, `${part} is no final code from 300 to 699`, 'write the list by hand');
      return [];
    }
    for (let code = low; code <= high && codes.size <= MAX_CODES; code += 1) codes.add(code);
  }
  reader.carry(parameter, codes.size > MAX_CODES ? `the first ${MAX_CODES}` : undefined);
  return [{ key: parameter, value: [...codes].slice(0, MAX_CODES) }];
}
