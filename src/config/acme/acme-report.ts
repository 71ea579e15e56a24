/** What became of a running configuration, as a text for people. */
import type { AcmeImport } from './acme-import.ts';
import type { Fate, LineFate } from './acme-ledger.ts';

/** Lines that share element and reason. */
interface Group {
  readonly first: LineFate;
  readonly lines: LineFate[];
}

const HEADINGS: readonly (readonly [Fate, string])[] = [
  ['not-carried', 'Not carried'],
  ['changed', 'Carried with a change'],
];
/** A report longer than this is read by programs. */
const MAX_GROUPS = 2000;
/** Parameters named in one line of the report. */
const MAX_NAMES = 20;

export function formatImport({ lines, counts }: AcmeImport): string {
  const parts = HEADINGS.map(([fate, heading]) => {
    const groups = groupsOf(lines.filter((line) => line.fate === fate));
    if (groups.length === 0) return '';
    const shown = groups.slice(0, MAX_GROUPS).map((group) => formatGroup(group));
    const more = groups.length - shown.length;
    const rest = more === 0 ? '' : `  … ${more} more: --json has them all\n`;
    return `${heading}\n${shown.join('')}${rest}\n`;
  });
  const { carried, changed, ignored } = counts;
  const lost = counts['not-carried'];
  const summary = `${lines.length} lines: ${carried} carried, ${changed} with a change, ${lost} not carried, ${ignored} with nothing to carry (defaults, prompts)\n`;
  return parts.join('') + summary;
}

function groupsOf(lines: readonly LineFate[]): readonly Group[] {
  const groups: Group[] = [];
  for (const line of lines) {
    const group = groups.at(-1);
    const last = group?.lines.at(-1);
    const isSame =
      last?.element === line.element && last.reason === line.reason && last.advice === line.advice;
    if (group !== undefined && isSame && line.element !== '') group.lines.push(line);
    else groups.push({ first: line, lines: [line] });
  }
  return groups;
}

/** Names of the parameters, '' where the element is meant as a whole. */
function parametersOf(lines: readonly LineFate[]): string {
  const names = [...new Set(lines.map(({ parameter }) => parameter))];
  if (names.includes('')) return '';
  const more = names.length - MAX_NAMES;
  return names.slice(0, MAX_NAMES).join(', ') + (more > 0 ? ` and ${more} more` : '');
}

function formatGroup({ first, lines }: Group): string {
  const last = lines.at(-1)?.line ?? first.line;
  const place = first.line === last ? `line ${first.line}` : `lines ${first.line}-${last}`;
  const what =
    lines.length === 1
      ? [first.element, [first.parameter, first.value].filter((part) => part !== '').join(' ')]
      : [first.element, parametersOf(lines)];
  const named = what.filter((part) => part !== '').join(', ');
  const advice =
    first.advice === '' || first.advice === 'nothing' ? '' : `\n      -> ${first.advice}`;
  return `  ${place}: ${named}: ${first.reason}${advice}\n`.replaceAll(/[^\P{Cc}\n]/gu, '·');
}
