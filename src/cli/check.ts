/** `tonebridge check`: is the configuration valid, and does it mean what its writer wants? */
import type { Command } from 'commander';
import { lintConfig, type LintFinding } from '../config/lint.ts';
import { loadConfigFile } from '../config/load-file.ts';
import type { LoadedConfig } from '../config/load.ts';
import { formatProblem } from '../config/problem.ts';
import { EXIT_CODES } from './exit-codes.ts';
import { type CommandResult, finish, globalOptions } from './output.ts';

export function addCheckCommand(program: Command): void {
  program
    .command('check')
    .description('validate a configuration and point out what will not work or is dangerous')
    .argument('[file]', 'configuration file; also --config')
    .action((file: string | undefined, _options: unknown, command: Command) => {
      const loaded = loadConfigFile(file ?? globalOptions(command).config);
      finish(command, checkConfig(loaded));
    });
}

/** The verdict on a loaded or refused configuration. */
export function checkConfig(loaded: LoadedConfig): CommandResult {
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
  const serious = findings.filter((finding) => finding.severity !== 'info');
  const lines = findings.map((finding) => formatFinding(file, finding)).join('');
  return {
    exitCode: serious.length === 0 ? EXIT_CODES.good : EXIT_CODES.findings,
    text: `${lines}${file}: valid, ${summary(findings)}\n`,
    json: { file, isValid: true, hash: loaded.config.hash, problems: [], findings },
  };
}

function formatFinding(file: string, finding: LintFinding): string {
  const place = finding.line === undefined ? file : `${file}:${finding.line}`;
  const { severity, code, message, explanation } = finding;
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
