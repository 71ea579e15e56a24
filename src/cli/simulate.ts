/** `tonebridge simulate`: plays calls against a configuration without sockets and says what each side would get. */
import { readFileSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import type { Command } from 'commander';
import { loadConfigFile } from '../config/load-file.ts';
import { type ConfigProblem, formatProblem } from '../config/problem.ts';
import { loadScenario } from '../simulation/load-scenario.ts';
import { simulate } from '../simulation/simulate.ts';
import type { JobAnswer, SimulationJob } from '../simulation/simulation-job.ts';
import { EXIT_CODES } from './exit-codes.ts';
import { type CommandResult, finish, globalOptions } from './output.ts';
import { progressOf } from './progress.ts';
import { formatBrief, formatReport } from './simulate-text.ts';

interface SimulateOptions {
  readonly scenario: readonly string[];
  readonly brief?: boolean;
  readonly all?: boolean;
}

/** How much is printed. */
type Shown = Pick<SimulateOptions, 'brief' | 'all'>;

/** A scenario that is ready to be played, or what is wrong with it or its configuration. */
type Prepared =
  | { readonly type: 'job'; readonly file: string; readonly job: SimulationJob }
  | {
      readonly type: 'invalid';
      readonly file: string;
      readonly problems: readonly ConfigProblem[];
    };

type Played = { readonly file: string } & (
  | JobAnswer
  | { readonly type: 'invalid'; readonly problems: readonly ConfigProblem[] }
);

export function addSimulateCommand(program: Command): void {
  program
    .command('simulate')
    .description(
      'play whole calls against a configuration, without sockets and in no time: what each side gets, which digits arrive',
    )
    .requiredOption('--scenario <files...>', 'scenario files; see config/scenarios')
    .option('--brief', 'print only what was not as expected')
    .option('--all', 'show the parameters that have their default too')
    .action(async (options: SimulateOptions, command: Command) => {
      const { config } = globalOptions(command);
      const progress = progressOf(command);
      progress.show(`playing ${options.scenario.length} scenarios`);
      const result = await simulateFiles(options.scenario, config, options);
      progress.end();
      finish(command, result);
    });
}

/** @param configFile counts instead of what the scenarios name. */
export async function simulateFiles(
  files: readonly string[],
  configFile?: string,
  shown: Shown = {},
): Promise<CommandResult> {
  const prepared = files.map((file) => prepare(file, configFile));
  const jobs = prepared.flatMap((each) => (each.type === 'job' ? [each.job] : []));
  const answers = (await answersTo(jobs)).values();
  const played = prepared.map(({ file, ...rest }): Played => {
    if (rest.type === 'invalid') return { file, ...rest };
    const answer = answers.next().value ?? { type: 'broken', message: 'no answer' };
    return { file, ...answer };
  });
  return {
    exitCode: exitCodeOf(played),
    text: played.map((each) => textOf(each, shown)).join(shown.brief === true ? '' : '\n'),
    json: { scenarios: played },
  };
}

/** A thread that dies has answered none of them. */
async function answersTo(jobs: readonly SimulationJob[]): Promise<readonly JobAnswer[]> {
  try {
    return await simulate(jobs);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return jobs.map(() => ({ type: 'broken', message }));
  }
}

function prepare(file: string, configFile: string | undefined): Prepared {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return invalid(file, [{ line: 1, column: 1, path: '', message: `cannot be read: ${why}` }]);
  }
  const besides = (name: string): string => (isAbsolute(name) ? name : join(dirname(file), name));
  const loaded = loadScenario(text, (name) => readFileSync(besides(name), 'utf8'));
  if (loaded.type === 'invalid') return invalid(file, loaded.problems);
  const { scenario } = loaded;
  const named = scenario.config === undefined ? undefined : besides(scenario.config);
  const config = loadConfigFile(configFile ?? named);
  if (config.type === 'invalid') return invalid(config.file, config.problems);
  return { type: 'job', file, job: { config: config.config, scenario } };
}

function invalid(file: string, problems: readonly ConfigProblem[]): Prepared {
  return { type: 'invalid', file, problems };
}

/** What cannot be played at all counts as wrong usage. */
function exitCodeOf(played: readonly Played[]): CommandResult['exitCode'] {
  if (played.some(({ type }) => type === 'invalid' || type === 'unfit')) return EXIT_CODES.usage;
  const isGood = played.every(
    (each) => each.type === 'report' && each.report.failures.length === 0,
  );
  return isGood ? EXIT_CODES.good : EXIT_CODES.findings;
}

function textOf(played: Played, { brief = false, all = false }: Shown): string {
  const { file } = played;
  if (played.type === 'report') {
    return brief ? formatBrief(file, played.report) : formatReport(played.report, all);
  }
  if (played.type === 'invalid') {
    return played.problems.map((problem) => `${formatProblem(file, problem)}\n`).join('');
  }
  return `${file}: ${played.message}\n`;
}
