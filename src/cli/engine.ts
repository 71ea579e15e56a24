import type { Command } from 'commander';
import { InvalidArgumentError, Option } from 'commander';
import { once } from 'node:events';
import { type TlsTexts, readTlsFiles } from '../config/tls-files.ts';
import { hostPortOf } from '../engine/core/local-address.ts';
import { startEngine } from '../engine/engine.ts';
import type { ListenPoint } from '../engine/transport/flow.ts';
import { NO_RATE_LIMITS } from '../engine/transport/message-gate.ts';
import { failed, finish, globalOptions } from './output.ts';

/** So many seconds' worth of messages may come at once. */
const BURST_SECONDS = 5;

const DEFAULT_ADMIN = '127.0.0.1:9022';

interface EngineFlags {
  readonly sip: readonly ListenPoint[];
  readonly admin: { readonly host: string; readonly port: number };
  readonly secret: string;
  readonly certificate?: string;
  readonly key?: string;
  readonly ca?: string;
  readonly verify: 'required' | 'none';
  readonly sourceRate: number;
}

/** `tonebridge engine`: the embedded SIP engine alone, for any drachtio application. */
export function addEngineCommand(program: Command): void {
  program
    .command('engine')
    .description('run the embedded SIP engine alone')
    .requiredOption(
      '--sip <protocol/address:port>',
      'where SIP is received; may be repeated',
      collectListenPoint,
    )
    .addOption(
      new Option('--admin <address:port>', 'where applications connect')
        .argParser(parseAdmin)
        .default(parseAdmin(DEFAULT_ADMIN), DEFAULT_ADMIN),
    )
    .option('--certificate <file>', 'PEM file with the certificate chain, for tls/…')
    .option('--key <file>', 'PEM file with the private key, for tls/…')
    .option('--ca <file>', 'PEM file with the authorities trusted in place of the public ones')
    .addOption(
      new Option('--verify <check>', 'whether servers must prove who they are')
        .choices(['required', 'none'])
        .default('required'),
    )
    .option('--secret <secret>', 'what applications authenticate with', 'cymru')
    .option(
      '--source-rate <messages>',
      'what one source may send per second besides messages of running calls; 0: unlimited',
      parseRate,
      0,
    )
    .action(async (flags: EngineFlags, command: Command) => {
      try {
        await runEngine(flags, globalOptions(command).json === true);
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        finish(command, failed('cannot-start', `cannot start: ${why}`));
      }
    });
}

async function runEngine(flags: EngineFlags, isJson: boolean): Promise<void> {
  const { sip, admin, secret } = flags;
  const stranger = { perSecond: flags.sourceRate, burst: flags.sourceRate * BURST_SECONDS };
  const limits = { rates: { ...NO_RATE_LIMITS, stranger } };
  const engine = await startEngine({ listen: sip, admin, secret, tls: tlsOf(flags), limits });
  const points = engine.listenPoints.map((point) => `${point.protocol}/${hostPortOf(point)}`);
  const { adminPort } = engine;
  const text = `engine ready: sip ${points.join(' ')}, admin port ${adminPort}\n`;
  const json = `${JSON.stringify({ sip: points, adminPort })}\n`;
  process.stdout.write(isJson ? json : text);
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
  await engine.close();
}

function tlsOf({ certificate, key, ca, verify }: EngineFlags): TlsTexts | undefined {
  if (certificate === undefined || key === undefined) return undefined;
  return readTlsFiles({ certificate, key, ca, verify, clientCertificates: 'none' });
}

function collectListenPoint(
  value: string,
  earlier: readonly ListenPoint[] | undefined,
): readonly ListenPoint[] {
  const match = /^(udp|tcp|tls)\/(.+)$/.exec(value);
  const protocol = (['udp', 'tcp', 'tls'] as const).find((candidate) => candidate === match?.[1]);
  if (protocol === undefined) {
    throw new InvalidArgumentError('expected protocol/address:port, as in udp/127.0.0.1:5060');
  }
  const { host, port } = parseAdmin(match?.[2] ?? '');
  return [...(earlier ?? []), { protocol, address: host, port }];
}

function parseRate(value: string): number {
  if (/^\d{1,6}$/.test(value)) return Number(value);
  throw new InvalidArgumentError('expected a whole number of messages per second');
}

function parseAdmin(value: string): { host: string; port: number } {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(value);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined || !(port <= 65_535)) {
    throw new InvalidArgumentError('expected address:port, as in 127.0.0.1:9022');
  }
  return { host, port };
}
