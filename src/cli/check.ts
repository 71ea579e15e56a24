/** `tonebridge check`: is the configuration valid, and does it mean what its writer wants? */
import type { Command } from 'commander';
import { LINT_RULES, lintConfig, type LintFinding } from '../config/lint.ts';
import { loadConfigFile, loadConfigText } from '../config/load-file.ts';
import type { LoadedConfig } from '../config/load.ts';
import { formatProblem } from '../config/problem.ts';
import { nearest } from '../config/suggestion.ts';
import { EXIT_CODES } from './exit-codes.ts';
import { type CommandResult, finish, globalOptions } from './output.ts';
import { isStandardInput, readStandardInput, STANDARD_INPUT } from './standard-input.ts';
import { formatTable } from './table.ts';

interface CheckOptions {
  readonly strict?: boolean;
  readonly explain?: string;
  readonly list?: boolean;
}

export function addCheckCommand(program: Command): void {
  program
    .command('check')
    .description('validate a configuration and point out what will not work or is dangerous')
    .argument('[file]', 'configuration file, - for standard input; also --config')
    .option('--strict', 'notes are failures, too')
    .option('--explain <code>', 'what a rule is for and what to do about it')
    .option('--list', 'every rule')
    .action((file: string | undefined, options: CheckOptions, command: Command) => {
      finish(command, check(file, options, command));
    });
}

function check(
  file: string | undefined,
  { strict, explain, list }: CheckOptions,
  command: Command,
): CommandResult {
  if (list === true) return listRules();
  if (explain !== undefined) return explainRule(explain);
  const name = file ?? globalOptions(command).config;
  const loaded = isStandardInput(name) ? loadPiped(command) : loadConfigFile(name);
  return checkConfig(loaded, strict === true);
}

/** Files that it names are looked for in the current folder. */
function loadPiped(command: Command): LoadedConfig {
  try {
    return { ...loadConfigText(readStandardInput().toString('utf8'), '-'), file: STANDARD_INPUT };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return command.error(`error: ${STANDARD_INPUT} cannot be read: ${message}`);
  }
}

/** The verdict on a loaded or refused configuration; `isStrict`: notes fail as well. */
export function checkConfig(loaded: LoadedConfig, isStrict = false): CommandResult {
  const { file } = loaded;
  if (loaded.type === 'invalid') {
    const { problems } = loaded;
    const lines = problems.map((problem) => `${formatProblem(file, problem)}\n`).join('');
    return {
      exitCode: EXIT_CODES.findings,
      text: `${lines}${file}: not valid, ${count(problems.length, 'problem')}\n`,
      json: { file, isValid: false, problems, findings: [] },
    };
  }
  const findings = lintConfig(loaded);
  const serious = findings.filter((finding) => isStrict || finding.severity !== 'info');
  const lines = findings.map((finding) => formatFinding(file, finding)).join('');
  return {
    exitCode: serious.length === 0 ? EXIT_CODES.good : EXIT_CODES.findings,
    text: `${lines}${file}: valid, ${summary(findings)}\n`,
    json: { file, isValid: true, hash: loaded.config.hash, problems: [], findings },
  };
}

/** Every rule of the linter, in the order of their names. */
export function listRules(): CommandResult {
  const rules = LINT_RULES.map(({ code, severity, explanation }) => ({
    code,
    severity,
    explanation,
  })).toSorted((a, b) => a.code.localeCompare(b.code, 'en'));
  const cells = rules.map(({ code, severity, explanation }) => [code, severity, explanation]);
  const text = formatTable(['code', 'severity', 'explanation'], cells);
  return { exitCode: EXIT_CODES.good, text, json: rules };
}

/** One rule of the linter; a code that there is not is an error of usage. */
export function explainRule(code: string): CommandResult {
  const rule = LINT_RULES.find((each) => each.code === code);
  if (rule === undefined) {
    const near = nearest(
      code,
      LINT_RULES.map((each) => each.code),
    );
    const hint = near === undefined ? 'see: tonebridge check --list' : `did you mean "${near}"?`;
    const errorText = `there is no rule "${code}" (${hint})\n`;
    const json = { error: 'unknown-rule', message: errorText.trim() };
    return { exitCode: EXIT_CODES.usage, text: '', errorText, json };
  }
  const { severity, explanation } = rule;
  const text = `${code} (${severity}): ${EFFECT[severity]}\n    ${explanation}\n`;
  return { exitCode: EXIT_CODES.good, text, json: { code, severity, explanation } };
}

const EFFECT = {
  error: 'it will not work, or is open to everybody; fails the check',
  warning: 'most likely not what is meant; fails the check',
  info: 'worth knowing; fails the check with --strict only',
} as const;

/** A finding on two lines: where and what, then why and what to do. */
export function formatFinding(file: string, finding: LintFinding): string {
  const { line, column, severity, code, message, explanation } = finding;
  const place = line === undefined ? file : `${file}:${line}:${column ?? 1}`;
  return `${place}: ${severity} ${code}: ${message}\n    ${explanation}\n`;
}

function summary(findings: readonly LintFinding[]): string {
  const of = (severity: string): number =>
    findings.filter((finding) => finding.severity === severity).length;
  return [
    count(of('error'), 'error'),
    count(of('warning'), 'warning'),
    count(of('info'), 'note'),
  ].join(', ');
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
