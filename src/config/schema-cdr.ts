/** The schema of `cdr`: where call records go and how much care is taken of them. */
import * as z from 'zod';
import type { CdrConfig } from './cdr-config.ts';
import { anyText, choice, duration, integer, scalar, type Scalar } from './values.ts';

const BYTES_OF: Readonly<Record<string, number>> = { kb: 1e3, mb: 1e6, gb: 1e9 };
const YEAR_MS = 365 * 86_400_000;

const rotate = z
  .strictObject({
    size: size('A file does not grow beyond this; 0: it does.').prefault('0'),
    every: duration(
      { minimumMs: 0, maximumMs: YEAR_MS },
      'Each period of this length, counted from midnight UTC for whole parts of a day, has a file of its own; 0: no periods.',
    ).prefault('0'),
    keep: integer(
      { minimum: 0, maximum: 100_000 },
      'How many old files stay, the oldest are deleted; 0: all.',
    ).prefault('0'),
  })
  .transform((raw): CdrConfig['rotation'] => ({
    sizeBytes: raw.size,
    everyMs: raw.every,
    keep: raw.keep,
  }));

export const cdr = z
  .strictObject({
    file: anyText('File of call records, one JSON object a line; empty: none.').prefault(
      'data/cdr.jsonl',
    ),
    journal: choice(
      ['enabled', 'disabled'],
      'Keeps the open calls in FILE.journal, so that a killed process leaves no call without record.',
    ).prefault('enabled'),
    fsync: choice(
      ['never', 'batch'],
      'never: records outlive the process; batch: they outlive the machine, too, at the cost of a sync up to ten times a second.',
    ).prefault('never'),
    'start-events': choice(
      ['enabled', 'disabled'],
      'Writes a line with `event: start` when a call is answered.',
    ).prefault('disabled'),
    rotate: rotate.meta({ description: 'When the file makes way for a new one.' }).prefault({}),
  })
  .transform((raw): CdrConfig => ({
    file: raw.file,
    hasJournal: raw.journal === 'enabled',
    isSynced: raw.fsync === 'batch',
    hasStartEvents: raw['start-events'] === 'enabled',
    rotation: raw.rotate,
  }));

/** A number of bytes with its unit. */
function size(description: string): Scalar<number> {
  const pattern = '^(0|[1-9][0-9]{0,5}[kKmMgG][bB])$';
  return scalar({ description, pattern }, (text) => {
    const [, count = '', unit = ''] = /^([1-9]\d{0,5})([kmg]b)$/i.exec(text) ?? [];
    const bytes = text === '0' ? 0 : Number(count) * (BYTES_OF[unit.toLowerCase()] ?? Number.NaN);
    return Number.isNaN(bytes)
      ? { type: 'problem', message: `"${text}" is no size: a whole number with kB, MB or GB` }
      : { type: 'value', value: bytes };
  });
}
