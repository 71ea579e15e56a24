/**
 * `tonebridge demo-features`: two phones of one account and the HTTP API change feature keys through a real SBC on loopback.
 *
 *   phone A ---\
 *               SBC --- HTTP API        after every step all three must show the same
 *   phone B ---/
 */
import type { Command } from 'commander';
import { openStage } from './demo-features-stage.ts';
import { playSteps, type StepResult } from './demo-features-steps.ts';
import { EXIT_CODES } from './exit-codes.ts';
import { limited } from './limited.ts';
import { globalOptions } from './output.ts';
import { progressOf } from './progress.ts';

const DEADLINE_MS = 30_000;
const CLOSE_MS = 5000;

export function addDemoFeaturesCommand(program: Command): void {
  program
    .command('demo-features', { hidden: true })
    .description('change feature keys from two phones and the API and prove that all show the same')
    .action(async (_options: unknown, command: Command) => {
      const isJson = globalOptions(command).json === true;
      const progress = progressOf(command);
      progress.show('two phones and the API change feature keys through the SBC');
      let report = '';
      const code = await runDemoFeatures((text) => {
        progress.end();
        report += text;
        if (!isJson) process.stdout.write(text);
      });
      progress.end();
      const json = { isPassed: code === EXIT_CODES.good, report: report.trim().split('\n') };
      if (isJson) process.stdout.write(`${JSON.stringify(json, undefined, 2)}\n`);
      // Nothing that is still open may keep the command from ending.
      process.stdout.write('', () => process.exit(code));
    });
}

/** Plays the demonstration; gives the exit code: 0 only if all parties agreed after every step. */
export async function runDemoFeatures(write: (text: string) => void): Promise<number> {
  const closers: (() => Promise<unknown>)[] = [];
  let code = 1;
  try {
    const results = await limited('the demo', play(closers, write), DEADLINE_MS);
    const wrong = results.filter((result) => result.problem !== undefined);
    for (const { title, problem } of wrong) write(`  ${title}: ${problem ?? ''}\n`);
    write(
      wrong.length === 0
        ? `PASSED: ${results.length} of ${results.length} steps, everybody shows the same after each.\n`
        : `FAILED at step ${results.length}.\n`,
    );
    code = wrong.length === 0 && results.length > 0 ? 0 : 1;
  } catch (error) {
    write(`demo failed: ${error instanceof Error ? error.message : String(error)}\n`);
  }
  for (const close of closers.toReversed()) {
    await limited('closing', close(), CLOSE_MS).catch(() => undefined);
  }
  return code;
}

async function play(
  closers: (() => Promise<unknown>)[],
  write: (text: string) => void,
): Promise<readonly StepResult[]> {
  const stage = await openStage(closers);
  try {
    return await playSteps(stage);
  } finally {
    write(`${stage.timeline.format()}\n`);
  }
}
