/**
 * Completion scripts for bash and zsh. The command tree stands in the script, so that only values of the running SBC need
 * a process: `tonebridge completion values agents`.
 *
 *   tables   commands, options, values and arguments by path, such as "tonebridge features set"
 *   walk     words before the cursor -> path, number of arguments, option that waits for its value
 *   answer   by the kind of what is expected: file, words:on,off, live:agents, any
 */
import type { CompletedCommand, CompletedOption, ValueKind } from './completion-words.ts';

export type Shell = 'bash' | 'zsh';

export function completionScript(shell: Shell, commands: readonly CompletedCommand[]): string {
  return shell === 'bash' ? bashScript(commands) : zshScript(commands);
}

interface Tables {
  readonly commands: readonly (readonly [string, string])[];
  readonly options: readonly (readonly [string, string])[];
  readonly values: readonly (readonly [string, string])[];
  readonly arguments: readonly (readonly [string, string])[];
}

/** `describe`: each word with what it means behind a colon, one per line; else words with blanks. */
function tablesOf(commands: readonly CompletedCommand[], describe: boolean): Tables {
  const entry = (name: string, description: string): string =>
    describe ? `${name}:${description.replaceAll(/\s+/g, ' ')}` : name;
  const separator = describe ? '\n' : ' ';
  return {
    commands: commands.map((command) => [
      pathOf(command),
      command.commands.map((inner) => entry(inner.name, inner.description)).join(separator),
    ]),
    options: commands.map((command) => [
      pathOf(command),
      command.options
        .flatMap(({ names, description }) => names.map((name) => entry(name, description)))
        .join(separator),
    ]),
    values: commands.flatMap((command) =>
      command.options.flatMap((option) => valuesOf(pathOf(command), option)),
    ),
    arguments: commands.map((command) => [
      pathOf(command),
      command.arguments.map((kind) => kindText(kind)).join(' '),
    ]),
  };
}

function pathOf({ path }: CompletedCommand): string {
  return `tonebridge ${path}`.trim();
}

function valuesOf(path: string, { names, value }: CompletedOption): readonly [string, string][] {
  return value === undefined ? [] : names.map((name) => [`${path} ${name}`, kindText(value)]);
}

function kindText(kind: ValueKind): string {
  if (kind.type === 'words') return `words:${kind.words.join(',')}`;
  return kind.type === 'live' ? `live:${kind.of}` : kind.type;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

type Rows = readonly (readonly [string, string])[];

function allTables(tables: Tables, format: (name: string, rows: Rows) => string): string {
  return Object.entries<Rows>({ ...tables })
    .map(([name, rows]) => format(name, rows))
    .join('');
}

function bashTable(name: string, rows: Rows): string {
  const lines = rows.map(([key, value]) => `  [${quoted(key)}]=${quoted(value)}\n`);
  return `declare -gA _tonebridge_${name}=(\n${lines.join('')})\n`;
}

function zshTable(name: string, rows: Rows): string {
  const lines = rows.map(([key, value]) => `  ${quoted(key)} ${quoted(value)}\n`);
  return `typeset -gA _tonebridge_${name}=(\n${lines.join('')})\n`;
}

function bashScript(commands: readonly CompletedCommand[]): string {
  return `# bash completion of tonebridge; in .bashrc: source <(tonebridge completion bash)
${allTables(tablesOf(commands, false), bashTable)}${BASH_CODE}`;
}

function zshScript(commands: readonly CompletedCommand[]): string {
  return `#compdef tonebridge
# zsh completion of tonebridge; in .zshrc, behind compinit: source <(tonebridge completion zsh)
${allTables(tablesOf(commands, true), zshTable)}${ZSH_CODE}`;
}

const BASH_CODE = String.raw`
_tonebridge() {
  local line="\${COMP_LINE:0:COMP_POINT}" cur='' word expect='' path=tonebridge kind='' prefix=''
  local -a words connection=() kinds
  local -i position=0
  read -ra words <<< "$line"
  if [[ $line != *[[:space:]] ]]; then cur="\${words[-1]}"; unset 'words[-1]'; fi
  for word in "\${words[@]:1}"; do
    if [[ -n $expect ]]; then
      case $expect in --api|--config|-c) connection+=("$expect" "$word") ;; esac
      expect=''
    elif [[ $word == -* ]]; then
      [[ $word != *=* && -n "\${_tonebridge_values["$path $word"]:-}" ]] && expect=$word
    elif [[ " \${_tonebridge_commands["$path"]:-} " == *" $word "* ]]; then path+=" $word"
    else position+=1
    fi
  done
  if [[ -n $expect ]]; then kind=\${_tonebridge_values["$path $expect"]}
  elif [[ $cur == --*=* ]]; then
    prefix=\${cur%%=*}=
    kind=\${_tonebridge_values["$path \${cur%%=*}"]:-any}
  elif [[ $cur == -* ]]; then kind=options
  elif [[ -n "\${_tonebridge_commands["$path"]:-}" ]]; then kind=commands
  else
    read -ra kinds <<< "\${_tonebridge_arguments["$path"]:-}"
    kind=\${kinds[position]:-none}
  fi
  _tonebridge_reply "$kind" "$cur" "$prefix"
}

_tonebridge_reply() {
  local kind=$1 cur=$2 prefix=$3 shown="\${COMP_WORDS[COMP_CWORD]}" strip='' found IFS=$' \t\n'
  local -a candidates=()
  case $kind in
    options) candidates=(\${_tonebridge_options["$path"]:-}) ;;
    commands) candidates=(\${_tonebridge_commands["$path"]:-}) ;;
    words:*) IFS=, read -ra candidates <<< "\${kind#words:}" ;;
    live:*) mapfile -t candidates < <(command "\${words[0]}" completion values "\${kind#live:}" "\${connection[@]}" 2>/dev/null) ;;
    file) compopt -o filenames 2>/dev/null; mapfile -t candidates < <(compgen -f -- "\${cur#"$prefix"}") ;;
  esac
  # Where a part of the word stands before a character at which bash breaks words, only the rest is replaced.
  if [[ $COMP_WORDBREAKS == *"$shown"* && \${#shown} -eq 1 ]]; then strip=$cur
  elif [[ $cur == *"$shown" ]]; then strip=\${cur%"$shown"}
  fi
  COMPREPLY=()
  for found in "\${candidates[@]}"; do
    [[ $prefix$found == "$cur"* ]] || continue
    found=$prefix$found
    COMPREPLY+=("\${found#"$strip"}")
  done
}

complete -F _tonebridge tonebridge
`.replaceAll(String.raw`\$`, '$');

const ZSH_CODE = String.raw`
_tonebridge() {
  emulate -L zsh
  local cur="\${words[CURRENT]}" word expect='' key=tonebridge kind='' name
  local -a connection=() kinds candidates names
  local -i position=0
  for word in "\${(@)words[2,CURRENT-1]}"; do
    names=("\${(@)\${(f)_tonebridge_commands[$key]}%%:*}")
    if [[ -n $expect ]]; then
      case $expect in --api|--config|-c) connection+=("$expect" "$word") ;; esac
      expect=''
    elif [[ $word == -* ]]; then
      [[ $word != *=* && -n "\${_tonebridge_values[$key $word]:-}" ]] && expect=$word
    elif [[ -n $word && \${names[(Ie)$word]} -gt 0 ]]; then key+=" $word"
    else position+=1
    fi
  done
  if [[ -n $expect ]]; then kind=\${_tonebridge_values[$key $expect]}
  elif [[ $cur == --*=* ]]; then
    name=\${cur%%=*}
    kind=\${_tonebridge_values[$key $name]:-any}
    compset -P '*='
  elif [[ $cur == -* ]]; then kind=options
  elif [[ -n "\${_tonebridge_commands[$key]:-}" ]]; then kind=commands
  else
    kinds=(\${(s: :)_tonebridge_arguments[$key]:-})
    kind=\${kinds[position+1]:-none}
  fi
  case $kind in
    options) candidates=("\${(@f)_tonebridge_options[$key]}"); _describe -o option candidates ;;
    commands) candidates=("\${(@f)_tonebridge_commands[$key]}"); _describe command candidates ;;
    words:*) candidates=(\${(s:,:)\${kind#words:}}); compadd -a candidates ;;
    live:*) candidates=("\${(@f)$(command \${words[1]} completion values \${kind#live:} $connection 2>/dev/null)}"); candidates=(\${candidates:#}); compadd -a candidates ;;
    file) _files ;;
  esac
}

if [[ "\${funcstack[1]}" == _tonebridge ]]; then _tonebridge "$@"; else compdef _tonebridge tonebridge; fi
`.replaceAll(String.raw`\$`, '$');
