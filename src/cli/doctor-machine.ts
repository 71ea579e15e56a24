/** What `doctor` asks of the machine; a test answers in its place. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { constants } from 'node:fs';
import { access, readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { availableParallelism, networkInterfaces, totalmem } from 'node:os';
import { dirname, resolve } from 'node:path';
import type { Realm, RtpengineNode } from '../config/config.ts';
import type { IoProbes } from '../media/io-choice.ts';
import { NgNode } from '../media/rtpengine/ng-node.ts';
import { machineIo } from '../media-io-probes.ts';

export interface Machine {
  readonly nodeVersion: string;
  readonly cores: number;
  readonly memoryBytes: number;
  /** IP addresses of all network interfaces. */
  readonly addresses: readonly string[];
  readonly nowMs: number;
  /** Text of a file below /proc or /run; `undefined` where there is none. */
  readonly read: (path: string) => Promise<string | undefined>;
  /** Why a port cannot be bound, such as EADDRINUSE; `undefined` when it can. */
  readonly bindProblem: (port: BoundPort) => Promise<string | undefined>;
  /** Why a file of that name cannot be written. */
  readonly writeProblem: (file: string) => Promise<string | undefined>;
  /** Which ways of moving packets work, for the media addresses of these realms. */
  readonly io: (realms: readonly Realm[]) => IoProbes;
  /** Why an rtpengine does not answer. */
  readonly rtpengineProblem: (node: RtpengineNode) => Promise<string | undefined>;
}

export interface BoundPort {
  readonly protocol: 'udp' | 'tcp';
  readonly address: string;
  readonly port: number;
}

export function thisMachine(): Machine {
  return {
    nodeVersion: process.versions.node,
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    addresses: Object.values(networkInterfaces()).flatMap((list) =>
      (list ?? []).map(({ address }) => address),
    ),
    nowMs: Date.now(),
    read: async (path) => await readFile(path, 'utf8').catch(() => undefined),
    bindProblem: async (port) => await (port.protocol === 'udp' ? bindUdp(port) : bindTcp(port)),
    writeProblem: async (file) => await writeProblem(file),
    io: machineIo,
    rtpengineProblem: async (node) => await rtpengineProblem(node),
  };
}

async function rtpengineProblem({ host, port }: RtpengineNode): Promise<string | undefined> {
  const node = await NgNode.open({ host, port });
  try {
    const answer = await node.ping();
    return answer.type === 'ok' ? undefined : `${answer.reason} (${answer.detail})`;
  } finally {
    await node.close();
  }
}

async function bindUdp({ address, port }: BoundPort): Promise<string | undefined> {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
  try {
    socket.bind({ address, port, exclusive: true });
    await once(socket, 'listening');
    return undefined;
  } catch (error) {
    return codeOf(error);
  } finally {
    await new Promise<void>((done) => {
      socket.close(done);
    }).catch(() => undefined);
  }
}

async function bindTcp({ address, port }: BoundPort): Promise<string | undefined> {
  const server = createServer();
  try {
    server.listen({ host: address, port, exclusive: true });
    await once(server, 'listening');
    server.close();
    await once(server, 'close');
    return undefined;
  } catch (error) {
    return codeOf(error);
  }
}

/** A folder that is not there is made when the SBC starts, which the one above it must allow. */
async function writeProblem(file: string): Promise<string | undefined> {
  for (let folder = dirname(resolve(file)); ; folder = dirname(folder)) {
    try {
      await access(folder, constants.W_OK);
      return undefined;
    } catch (error) {
      const code = codeOf(error);
      if (code !== 'ENOENT' || folder === dirname(folder)) return code;
    }
  }
}

function codeOf(error: unknown): string {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') {
    return error.code;
  }
  return error instanceof Error ? error.message : String(error);
}
