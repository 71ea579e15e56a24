/** `tonebridge plan`: what a new configuration changes against the one in use. */
import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { configPlanView, type ConfigPlanView } from '../api/config-plan.ts';
import { configPlanSchema } from '../api/plan-schemas.ts';
import { loadConfigFile } from '../config/load-file.ts';
import { formatProblem } from '../config/problem.ts';
import { type ApiAnswer, ApiClient, clientFor, failure, withApiOption } from './api-client.ts';
import { EXIT_CODES, type ExitCode } from './exit-codes.ts';
import { type CommandResult, finish, globalOptions } from './output.ts';
import { formatPlan, seriousFindings } from './plan-text.ts';

export function addPlanCommand(program: Command): void {
  withApiOption(program.command('plan'))
    .description('show what a new configuration changes against the one in use, and change nothing')
    .argument('<file>', 'the new configuration')
    .option('--offline', 'compare with the file that --config names, and ask no running SBC')
    .action(async (file: string, { offline }: { offline?: boolean }, command: Command) => {
      finish(command, await plan(file, offline === true, command));
    });
}

async function plan(file: string, isOffline: boolean, command: Command): Promise<CommandResult> {
  const { config } = globalOptions(command);
  if (isOffline) return planOffline(file, config);
  const text = readText(file);
  if (typeof text !== 'string') return text;
  const client = clientFor(command);
  if (!(client instanceof ApiClient)) return client;
  const answer = await askPlan(client, text);
  if (answer.type === 'answer') return planResult(file, answer.value);
  if (answer.type === 'refused' || config === undefined) {
    const hint = `tonebridge plan ${file} --offline compares with a file in place of a running SBC\n`;
    const failed = failure(answer);
    return answer.type === 'refused'
      ? failed
      : { ...failed, errorText: `${failed.errorText ?? ''}${hint}` };
  }
  return planOffline(file, config, `${answer.message}; `);
}

export function askPlan(client: ApiClient, yaml: string): Promise<ApiAnswer<ConfigPlanView>> {
  const path = '/api/v1/config/plan';
  return client.ask({ method: 'POST', path, yaml, answer: configPlanSchema });
}

/** The text of a file, or why there is none. */
export function readText(file: string): string | CommandResult {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const message = `${file} cannot be read: ${reason}`;
    const json = { error: 'unreadable', message };
    return { exitCode: EXIT_CODES.findings, text: '', errorText: `${message}\n`, json };
  }
}

/** Compares two files; `why` stands before what is said about it. */
export function planOffline(file: string, config: string | undefined, why = ''): CommandResult {
  const current = loadConfigFile(config);
  if (current.type === 'invalid') {
    const lines = current.problems.map((each) => `${formatProblem(current.file, each)}\n`);
    const json = { error: 'bad-config', problems: current.problems };
    const errorText = `${lines.join('')}${current.file} is no configuration to compare with\n`;
    return { exitCode: EXIT_CODES.findings, text: '', errorText, json };
  }
  const view = configPlanView(current, loadConfigFile(file), undefined);
  const result = planResult(file, view);
  const note = `${why}compared with the file ${current.file}, no running SBC was asked\n`;
  return { ...result, text: `${note}\n${result.text}`, json: { isOffline: true, ...view } };
}

/** What `plan` prints. */
export function planResult(file: string, view: ConfigPlanView): CommandResult {
  return { exitCode: exitCodeOf(view), text: formatPlan(file, view), json: view };
}

/** Good is what a reload takes over and the linter has no new objection to. */
function exitCodeOf({ verdict, plan: found }: ConfigPlanView): ExitCode {
  const isTaken = verdict === 'live' || verdict === 'unchanged';
  return isTaken && seriousFindings(found).length === 0 ? EXIT_CODES.good : EXIT_CODES.findings;
}
