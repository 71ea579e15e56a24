/** How the plan of a new configuration reads in a terminal. */
import type { ConfigPlanView } from '../api/config-plan.ts';
import type { LintFinding } from '../config/lint.ts';
import type { ConfigPlan } from '../config/plan.ts';
import type { ElementChange, ElementSection } from '../config/plan-elements.ts';
import type { KeyChange } from '../config/plan-keys.ts';
import { formatProblem } from '../config/problem.ts';
import { formatFinding } from './check.ts';
import { formatTable } from './table.ts';

const SECTION_TITLES: Readonly<Record<ElementSection, string>> = {
  realms: 'realms',
  'sip-interfaces': 'interfaces',
  'session-agents': 'session agents',
  'session-groups': 'session groups',
  translations: 'translations',
};

const MARKS = { added: '+', removed: '-', changed: '~' } as const;

/** Groups of lines, an empty one between two, and the verdict at the end. */
export function formatPlan(file: string, view: ConfigPlanView): string {
  const { plan } = view;
  const groups =
    plan === undefined
      ? []
      : [
          ...elementGroups(plan.elements),
          policyGroup(plan),
          routeGroup(plan),
          parameterGroup(plan),
          group('other settings', linesOf(plan.settings.map((change) => keyText(change)))),
          group('another order of', linesOf(plan.reordered)),
          callGroup(view),
          findingGroup(file, plan.findings),
        ];
  return [...groups.filter((text) => text !== ''), verdictText(file, view)].join('\n');
}

function group(title: string, lines: string): string {
  return lines === '' ? '' : `${title}\n${lines}`;
}

function elementGroups(elements: readonly ElementChange[]): string[] {
  const sections = Object.entries(SECTION_TITLES);
  return sections.map(([section, title]) => {
    const own = elements.filter((element) => element.section === section);
    return group(title, own.map((element) => elementText(element)).join(''));
  });
}

function elementText({ name, type, keys }: ElementChange): string {
  const head = `  ${MARKS[type]} ${name}\n`;
  if (type !== 'changed') return head;
  if (keys.length === 0) return `${head}      a value that is kept elsewhere, such as a secret\n`;
  return head + keys.map((change) => `      ${keyText(change)}\n`).join('');
}

function keyText({ key, from, to }: KeyChange): string {
  if (from === undefined && to === undefined) {
    return `${key}: a value that is kept elsewhere, such as a secret`;
  }
  return `${key}: ${valueText(from)} -> ${valueText(to)}`;
}

function valueText(value: string | undefined): string {
  if (value === undefined) return '(none)';
  return value === '' ? '""' : value;
}

function policyGroup({ routes }: ConfigPlan): string {
  const removed = routes.removed.map((policy) => `- ${policy}`);
  const added = routes.added.map((policy) => `+ ${policy}`);
  return group('local policies', linesOf([...removed, ...added]));
}

function linesOf(texts: readonly string[]): string {
  return texts.map((text) => `  ${text}\n`).join('');
}

function routeGroup({ routes }: ConfigPlan): string {
  const rows = routes.changes.map(({ source, to, from, method, before, after }) => [
    `  ${source}`,
    to,
    from,
    method,
    before,
    after,
  ]);
  const table = formatTable(['  source', 'to', 'from', 'method', 'before', 'after'], rows);
  return group('routes', routes.isPartial ? `${table}  and perhaps more\n` : table);
}

function parameterGroup({ parameters }: ConfigPlan): string {
  const rows = parameters.map(({ leg, parameter, from, to }) => [
    `  ${leg}`,
    parameter,
    `${from.value} (${from.origin})`,
    `${to.value} (${to.origin})`,
  ]);
  return group('parameters in force', formatTable(['  leg', 'parameter', 'before', 'after'], rows));
}

const PLACES = { 'sip-interfaces': 'interface', 'session-agents': 'session agent' } as const;

function callGroup({ calls, verdict }: ConfigPlanView): string {
  if (calls === undefined || calls.active === 0 || verdict === 'unchanged') return '';
  const active = count(calls.active, 'call');
  if (verdict === 'restart') {
    return `calls\n  ${active} running, which a restart ends unless they are drained before\n`;
  }
  const affected = calls.affected.map(
    ({ section, name, type, calls: number }) =>
      `  ${number} with a leg on ${PLACES[section]} "${name}", which is ${type}\n`,
  );
  const rest = '  they keep the configuration they began with until their end\n';
  return `calls\n  ${active} running\n${affected.join('')}${rest}`;
}

function findingGroup(file: string, { added, gone }: ConfigPlan['findings']): string {
  const news = added.map((finding) => indented(formatFinding(file, finding)));
  const old = gone.map(
    ({ severity, code, message }) => `  gone: ${severity} ${code}: ${message}\n`,
  );
  return group('findings of the linter', [...news, ...old].join(''));
}

/** Findings that the new file has and the old one has not, and that fail a check. */
export function seriousFindings(plan: ConfigPlan | undefined): readonly LintFinding[] {
  return plan?.findings.added.filter(({ severity }) => severity !== 'info') ?? [];
}

function indented(text: string): string {
  return text.replaceAll(/^/gm, '  ').trimEnd().concat('\n');
}

function verdictText(file: string, { verdict, problems }: ConfigPlanView): string {
  const lines = problems.map((problem) => `  ${formatProblem(file, problem)}\n`).join('');
  switch (verdict) {
    case 'unchanged':
      return 'verdict: nothing changes\n';
    case 'live':
      return 'verdict: applies live\n';
    case 'restart': {
      const parts = [...new Set(problems.map(({ path }) => path))].join(', ');
      return `verdict: needs restart: ${parts}\n${lines}`;
    }
    case 'refused':
    default:
      return `verdict: refused: ${count(problems.length, 'problem')}\n${lines}`;
  }
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
