/** `tonebridge import-acme`: a running configuration of an Oracle SBC as YAML, and what did not come over. */
import { readFileSync, writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { type AcmeImport, importAcme } from '../config/acme/acme-import.ts';
import { formatImport } from '../config/acme/acme-report.ts';
import { loadConfig } from '../config/load.ts';
import { checkConfig } from './check.ts';
import { EXIT_CODES } from './exit-codes.ts';
import { type CommandResult, finish } from './output.ts';
import { progressOf } from './progress.ts';
import { isStandardInput, readStandardInput, STANDARD_INPUT } from './standard-input.ts';

const MAX_BYTES = 64 * 1024 * 1024;

interface ImportOptions {
  readonly output?: string;
  readonly force?: boolean;
}

export function addImportAcmeCommand(program: Command): void {
  program
    .command('import-acme')
    .description('turn `show running-config` of an Oracle (Acme Packet) SBC into a configuration')
    .argument('<file>', 'the text as it was saved from a terminal; - for standard input')
    .option(
      '-o, --output <file>',
      'where the configuration goes (default: standard output, the report to standard error)',
    )
    .option('--force', 'write over a file that is there')
    .addHelpText(
      'after',
      `
Every line of the text is carried, carried with a change, not carried, or has nothing to carry; the report lists the
second and third with the reason. Exit status: 0 all carried, 1 something was not, 2 usage.

Examples:
  tonebridge import-acme running-config.txt --output config/imported.yaml
  tonebridge import-acme running-config.txt --json | jq '.lines[] | select(.fate == "not-carried")'`,
    )
    .action((file: string, options: ImportOptions, command: Command) => {
      const text = readText(command, file);
      const progress = progressOf(command);
      progress.show(`reading ${text.length} characters`);
      const imported = importAcme(text);
      progress.show(`checking ${imported.parts} parts`);
      const result = importResult(imported, options.output);
      progress.end();
      if (options.output !== undefined)
        writeYaml(command, imported.yaml, { ...options, output: options.output });
      finish(command, result);
    });
}

/** The report, and the configuration with it unless that went to a file. */
export function importResult(imported: AcmeImport, output: string | undefined): CommandResult {
  const { yaml, lines, counts } = imported;
  const name = output ?? 'the configuration';
  const check = checkConfig(loadConfig({ text: yaml, file: name, env: {} }));
  const report = `${formatImport(imported)}\n${check.text}`;
  const isWhole = counts['not-carried'] === 0 && isValid(check.json);
  return {
    exitCode: isWhole ? EXIT_CODES.good : EXIT_CODES.findings,
    text: output === undefined ? yaml : report,
    ...(output === undefined ? { errorText: report } : {}),
    json: {
      ...(output === undefined ? { yaml } : { output }),
      counts,
      lines,
      check: check.json,
    },
  };
}

function isValid(check: unknown): boolean {
  return (
    typeof check === 'object' && check !== null && 'isValid' in check && check.isValid === true
  );
}

function readText(command: Command, file: string): string {
  const isPiped = isStandardInput(file);
  const name = isPiped ? STANDARD_INPUT : file;
  try {
    const bytes = isPiped ? readStandardInput() : readFileSync(file);
    if (bytes.length > MAX_BYTES) command.error(`error: ${name} is larger than ${MAX_BYTES} bytes`);
    return bytes.toString('utf8');
  } catch (error) {
    return command.error(`error: ${name} cannot be read: ${messageOf(error)}`);
  }
}

function writeYaml(
  command: Command,
  yaml: string,
  { output, force }: ImportOptions & { readonly output: string },
): void {
  try {
    writeFileSync(output, yaml, { flag: force === true ? 'w' : 'wx' });
  } catch (error) {
    const isThere = error instanceof Error && 'code' in error && error.code === 'EEXIST';
    const why = isThere
      ? 'is there already: --force writes over it'
      : `cannot be written: ${messageOf(error)}`;
    command.error(`error: ${output} ${why}`);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
