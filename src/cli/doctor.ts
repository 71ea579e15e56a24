/** `tonebridge doctor`: is this machine ready for the configuration? */
import type { Command } from 'commander';
import { processSchema } from '../api/live-schemas.ts';
import { loadConfigFile } from '../config/load-file.ts';
import type { LoadedConfig } from '../config/load.ts';
import { ApiClient, apiUrl } from './api-client.ts';
import {
  checkAddresses,
  checkBuffers,
  checkClock,
  checkFile,
  checkFiles,
  checkNode,
  checkPortRange,
  checkPorts,
  checkWrites,
  type DoctorCheck,
} from './doctor-checks.ts';
import { type Machine, thisMachine } from './doctor-machine.ts';
import { checkIo, checkRtpengine } from './doctor-media.ts';
import { EXIT_CODES } from './exit-codes.ts';
import { type CommandResult, finish, globalOptions } from './output.ts';
import { progressOf } from './progress.ts';
import { paint, type Style, type Terminal, terminalOf } from './terminal.ts';

const STYLES: Readonly<Record<DoctorCheck['verdict'], Style>> = {
  ok: 'green',
  warn: 'yellow',
  fail: 'red',
};
/** Where none runs that shows at once; one that is busy is waited for, lest its ports be taken for another program's. */
const PATIENCE_MS = 10_000;

export function addDoctorCommand(program: Command): void {
  program
    .command('doctor')
    .description('look whether this machine is ready: runtime, file, addresses, ports, limits')
    .addHelpText(
      'after',
      `
Exit status: 0 nothing fails (warnings may), 1 something does.

Examples:
  tonebridge doctor
  tonebridge --config /etc/tonebridge/sbc.yaml doctor --json`,
    )
    .action(async (_options: unknown, command: Command) => {
      const progress = progressOf(command);
      progress.show('looking at this machine');
      const loaded = loadConfigFile(globalOptions(command).config);
      const checks = await examine(loaded, thisMachine(), await hasRunningSbc(loaded));
      progress.end();
      finish(command, doctorResult(checks, terminalOf(process.stdout)));
    });
}

/** All checks that the configuration lets be made. */
export async function examine(
  loaded: LoadedConfig,
  machine: Machine,
  isSbcRunning: boolean,
): Promise<readonly DoctorCheck[]> {
  const always = [checkNode(machine), checkFile(loaded)];
  const last = [await checkClock(machine), await checkBuffers(machine)];
  if (loaded.type === 'invalid') return [...always, ...last];
  const { config } = loaded;
  return [
    ...always,
    checkAddresses(config, machine),
    await checkPorts(config, machine, isSbcRunning),
    await checkPortRange(config, machine),
    await checkFiles(config, machine),
    await checkWrites(config, machine),
    config.media.engine === 'rtpengine'
      ? await checkRtpengine(config, machine)
      : await checkIo(config, machine),
    ...last,
  ];
}

export function doctorResult(checks: readonly DoctorCheck[], terminal: Terminal): CommandResult {
  const widest = Math.max(...checks.map(({ name }) => name.length));
  const lines = checks.map(({ name, verdict, text, advice }) => {
    const mark = paint(verdict.padEnd(4), STYLES[verdict], terminal);
    const cure = advice === undefined ? '' : `${' '.repeat(widest + 8)}-> ${advice}\n`;
    return `${mark}  ${name.padEnd(widest)}  ${text.replaceAll(/\p{Cc}/gu, '·')}\n${cure}`;
  });
  const isReady = checks.every(({ verdict }) => verdict !== 'fail');
  return {
    exitCode: isReady ? EXIT_CODES.good : EXIT_CODES.findings,
    text: lines.join(''),
    json: { isReady, checks },
  };
}

/** Whether an SBC with this configuration answers. */
export async function hasRunningSbc(loaded: LoadedConfig): Promise<boolean> {
  if (loaded.type === 'invalid') return false;
  const { api, hash } = loaded.config;
  const client = new ApiClient(apiUrl(api), api.token, PATIENCE_MS);
  const answer = await client.ask({ path: '/api/v1/status', answer: processSchema });
  return answer.type === 'answer' && answer.value.config.hash === hash;
}
