/** Entry of the loading thread: reads and checks configurations, so that calls need not wait for it. */
import { parentPort } from 'node:worker_threads';
import { loadConfigFile, loadConfigText } from './load-file.ts';
import { type LoadCommand, type LoadReply, slicesOf } from './load-protocol.ts';
import type { ValidConfig } from './load.ts';
import type { Path } from './problem.ts';

const port = parentPort;
if (port === null) throw new Error('load.worker.ts runs as a worker thread only');
const tell = (reply: LoadReply): void => port.postMessage(reply);

let slices: readonly LoadReply[] = [];

port.on('message', (command: LoadCommand) => {
  if (command.type === 'load') load(command);
  else {
    const [slice] = slices;
    slices = slices.slice(1);
    tell(slice ?? { type: 'end' });
  }
});

function load({ file, text }: Extract<LoadCommand, { readonly type: 'load' }>): void {
  const loaded = text === undefined ? loadConfigFile(file) : loadConfigText(text, file);
  if (loaded.type === 'invalid') {
    tell(loaded);
    return;
  }
  const { head, slices: rest } = slicesOf(loaded.config);
  slices = rest;
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
