/** Entry of the loading thread: reads and checks configurations, so that calls need not wait for it. */
import { parentPort } from 'node:worker_threads';
import type { Config } from './config.ts';
import { lintConfig } from './lint.ts';
import { loadConfigFile, loadConfigText } from './load-file.ts';
import { type LoadCommand, type LoadReply, type LongList, slicesOf } from './load-protocol.ts';
import type { LoadedConfig, ValidConfig } from './load.ts';
import { planConfig } from './plan.ts';
import type { Path } from './problem.ts';
import { takeLists } from './thread-parts.ts';

const port = parentPort;
if (port === null) throw new Error('load.worker.ts runs as a worker thread only');
const tell = (reply: LoadReply): void => port.postMessage(reply);

/** What `next` gives. */
let waiting: Iterator<LoadReply> = [].values();
let inUse:
  | { readonly config: Config; readonly lists: LongLists; readonly text: string }
  | undefined;

type LongLists = Record<LongList, unknown[]>;
type Command<T extends LoadCommand['type']> = Extract<LoadCommand, { readonly type: T }>;

port.on('message', (command: LoadCommand) => {
  switch (command.type) {
    case 'load':
      load(command);
      break;
    case 'check':
      check(command);
      break;
    case 'in-use': {
      const lists = { localPolicies: [], sessionAgents: [], sessionGroups: [] };
      inUse = { config: { ...command.config, ...lists }, lists, text: command.text };
      break;
    }
    case 'in-use-slice':
      inUse?.lists[command.list].push(...command.items);
      break;
    case 'plan':
      plan(command);
      break;
    case 'next':
      tell(waiting.next().value ?? { type: 'end' });
  }
});

function read({
  file,
  text,
}: {
  readonly file: string | undefined;
  readonly text?: string | undefined;
}): LoadedConfig {
  return text === undefined ? loadConfigFile(file) : loadConfigText(text, file);
}

function check(command: Command<'check'>): void {
  const loaded = read(command);
  if (loaded.type === 'invalid') {
    tell(loaded);
    return;
  }
  const checked = { type: 'checked' as const, findings: lintConfig(loaded) };
  wait(checked);
  tell(checked);
}

/** Secrets count as they are in force, even where a secret file has changed meanwhile. */
function plan(command: Command<'plan'>): void {
  const next = read(command);
  const known = inUse;
  inUse = undefined;
  const old = loadConfigText(known?.text ?? '', command.file);
  if (next.type === 'invalid') tell(next);
  else if (known === undefined || old.type === 'invalid') tell({ type: 'unplanned' });
  else {
    const { head: config } = slicesOf(next.config);
    const made = planConfig({ ...old, config: known.config }, next);
    const planned = { type: 'planned' as const, config, plan: made, lines: linesOf(next) };
    wait({ plan: made });
    tell(planned);
  }
}

/** Keeps the long lists of `answer` until they are asked for. */
function wait(answer: object): void {
  waiting = takeLists(answer)
    .map((part): LoadReply => ({ type: 'part', part }))
    .values();
}

function load(command: Command<'load'>): void {
  const loaded = read(command);
  if (loaded.type === 'invalid') {
    tell(loaded);
    return;
  }
  const { head, slices: rest } = slicesOf(loaded.config);
  waiting = rest.values();
  tell({
    type: 'head',
    config: head,
    file: loaded.file,
    text: loaded.text,
    lines: linesOf(loaded),
  });
}

function linesOf({ config, lineOf }: ValidConfig): readonly (readonly [string, number])[] {
  const paths: Path[] = [
    ...Object.keys(config).map((name) => [nameInFile(name)]),
    ['feature-keys', 'provider'],
    ['feature-keys', 'provider', 'kind'],
    ['feature-keys', 'domains'],
    ...config.sipInterfaces.flatMap(({ sipPorts }, index): Path[] => [
      ['sip-interfaces', index],
      ['sip-interfaces', index, 'tls'],
      ['sip-interfaces', index, 'sip-ports'],
      ...sipPorts.map((_port, place) => ['sip-interfaces', index, 'sip-ports', place]),
    ]),
  ];
  return paths.flatMap((path) => {
    const line = lineOf(path);
    return line === undefined ? [] : [[JSON.stringify(path), line] as const];
  });
}

/** `sipInterfaces` is `sip-interfaces` in the file. */
function nameInFile(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
