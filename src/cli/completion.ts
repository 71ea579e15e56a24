/** `tonebridge completion`: scripts for bash and zsh. */
import type { Command } from 'commander';
import { completionScript, type Shell } from './completion-script.ts';
import { addValuesCommand } from './completion-values.ts';
import { completedCommands } from './completion-words.ts';
import { EXIT_CODES } from './exit-codes.ts';
import { type CommandResult, finish } from './output.ts';

export function addCompletionCommand(program: Command): void {
  const completion = program
    .command('completion')
    .description('completion of commands, options, agents and calls for a shell')
    .addHelpText(
      'after',
      `
Examples:
  source <(tonebridge completion bash)       # in .bashrc
  source <(tonebridge completion zsh)        # in .zshrc, behind compinit`,
    );
  for (const shell of ['bash', 'zsh'] as const) {
    completion
      .command(shell)
      .description(`the script for ${shell}`)
      .action((_options: unknown, command: Command) => {
        finish(command, scriptFor(program, shell));
      });
  }
  addValuesCommand(completion);
}

function scriptFor(program: Command, shell: Shell): CommandResult {
  const script = completionScript(shell, completedCommands(program));
  return { exitCode: EXIT_CODES.good, text: script, json: { shell, script } };
}
