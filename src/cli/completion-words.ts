/** What can stand where on a command line, read off the command tree: a new command is completed without further code. */
import type { Argument, Command, Option } from 'commander';

/** What a value is; `live` ones are asked of the running SBC. */
export type ValueKind =
  | { readonly type: 'words'; readonly words: readonly string[] }
  | { readonly type: 'file' }
  | { readonly type: 'live'; readonly of: LiveValues }
  | { readonly type: 'any' };

export const LIVE_VALUES = ['agents', 'calls', 'accounts'] as const;
export type LiveValues = (typeof LIVE_VALUES)[number];

export interface CompletedOption {
  /** `--json`, `-c`. */
  readonly names: readonly string[];
  readonly description: string;
  /** Absent where the option takes no value. */
  readonly value?: ValueKind;
}

export interface CompletedCommand {
  /** Names from the top: `features set`; '' for the program itself. */
  readonly path: string;
  readonly commands: readonly { readonly name: string; readonly description: string }[];
  readonly options: readonly CompletedOption[];
  readonly arguments: readonly ValueKind[];
}

/** The commands of `program` and what each takes, options that all share included. */
export function completedCommands(program: Command): readonly CompletedCommand[] {
  return walk(program, '', []);
}

function walk(
  command: Command,
  path: string,
  shared: readonly CompletedOption[],
): readonly CompletedCommand[] {
  const own = command.options.filter((option) => !option.hidden).map((option) => optionOf(option));
  const help = { names: ['--help', '-h'], description: 'help' };
  const options = [...own, ...shared];
  const visible = command.commands.filter((inner) => !isHidden(inner));
  const completed: CompletedCommand = {
    path,
    commands: visible.map((inner) => ({ name: inner.name(), description: summaryOf(inner) })),
    options: [...options, help],
    arguments: command.registeredArguments.map((argument) => argumentKind(argument)),
  };
  // Those of the program count for all commands; those of a group for that group alone.
  const passed = path === '' ? own.filter(({ names }) => !names.includes('--version')) : shared;
  const inner = visible.flatMap((each) => {
    return walk(each, path === '' ? each.name() : `${path} ${each.name()}`, passed);
  });
  return [completed, ...inner];
}

function optionOf(option: Option): CompletedOption {
  const names = [option.long, option.short].filter((name) => name !== undefined && name !== null);
  const { description } = option;
  if (!option.required && !option.optional) return { names, description };
  const hint = /[<[]([^>\]]+)[>\]]/.exec(option.flags)?.[1] ?? '';
  return { names, description, value: kindOf(hint, option.long ?? '', option.argChoices) };
}

function argumentKind(argument: Argument): ValueKind {
  return kindOf(argument.name(), '', argument.argChoices);
}

/** By the name of the value: `<agent>` and `--call <id>` say themselves what they are. */
function kindOf(hint: string, option: string, choices: readonly string[] | undefined): ValueKind {
  if (choices !== undefined && choices.length > 0) return { type: 'words', words: choices };
  const text = `${option.replace(/^--/, '')} ${hint}`.toLowerCase();
  if (/\bfiles?\b|\boutput\b/.test(text)) return { type: 'file' };
  if (/\bagents?\b/.test(text)) return { type: 'live', of: 'agents' };
  if (/\bcall\b/.test(text)) return { type: 'live', of: 'calls' };
  if (/\baccount\b/.test(text)) return { type: 'live', of: 'accounts' };
  if (hint === 'feature') return { type: 'words', words: ['dnd', 'cfa', 'cfb', 'cfna'] };
  if (hint === 'state') return { type: 'words', words: ['on', 'off'] };
  if (hint === 'shell') return { type: 'words', words: ['bash', 'zsh'] };
  return { type: 'any' };
}

function summaryOf(command: Command): string {
  return command.summary() || command.description();
}

/** Commander keeps this to itself: a hidden command is one that the help of its parent leaves out. */
function isHidden(command: Command): boolean {
  const { parent } = command;
  return parent !== null && !parent.createHelp().visibleCommands(parent).includes(command);
}
