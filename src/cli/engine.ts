import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import { once } from 'node:events';
import { hostPortOf } from '../engine/core/local-address.ts';
import { startEngine } from '../engine/engine.ts';
import type { ListenPoint } from '../engine/transport/flow.ts';

interface EngineFlags {
  readonly sip: readonly ListenPoint[];
  readonly admin: { readonly host: string; readonly port: number };
  readonly secret: string;
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
    .option('--admin <address:port>', 'where applications connect', parseAdmin, {
      host: '127.0.0.1',
      port: 9022,
    })
    .option('--secret <secret>', 'what applications authenticate with', 'cymru')
    .action(async (flags: EngineFlags) => {
      await runEngine(flags);
    });
}

async function runEngine(flags: EngineFlags): Promise<void> {
  const engine = await startEngine({ listen: flags.sip, admin: flags.admin, secret: flags.secret });
  const points = engine.listenPoints.map((point) => `${point.protocol}/${hostPortOf(point)}`);
  process.stdout.write(`engine ready: sip ${points.join(' ')}, admin port ${engine.adminPort}\n`);
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
  await engine.close();
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

function parseAdmin(value: string): { host: string; port: number } {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(value);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined || !(port <= 65_535)) {
    throw new InvalidArgumentError('expected address:port, as in 127.0.0.1:9022');
  }
  return { host, port };
}
