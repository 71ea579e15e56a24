/**
 * Runs baresip (Debian package baresip-core), a phone by other authors, without sound card and screen. Commands go to
 * its ctrl_tcp module as JSON in netstrings, events come back the same way. It sends a tone.
 */
import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePortRange } from './free-ports.ts';
import { PATIENCE_MS, waitFor } from './wait-for.ts';

const MODULES = '/usr/lib/baresip/modules';
/** SIP, its TLS twin that cannot be switched off, commands, and some for RTP. */
const PORTS = 12;
const FIRST_RTP = 4;
const KILL_AFTER_MS = 3000;

/** Its RTP sockets are bound to no address, so this is the one that its packets come from on loopback. */
const ADDRESS = '127.0.0.1';

/** Whether the program can be run on this machine. */
export function hasBaresip(): boolean {
  return spawnSync('baresip', ['-h'], { stdio: 'ignore' }).error === undefined;
}

export class Baresip {
  readonly address: string;
  readonly port: number;
  /** Types of the events so far, such as CALL_ESTABLISHED. */
  readonly events: string[] = [];
  readonly #child: ChildProcess;
  readonly #folder: string;
  readonly #exited: Promise<unknown>;
  readonly #answers: string[] = [];
  #socket: Socket | undefined;
  #output = '';
  #unread = '';

  private constructor(child: ChildProcess, folder: string, at: { address: string; port: number }) {
    this.#child = child;
    this.#folder = folder;
    this.address = at.address;
    this.port = at.port;
    this.#exited = once(child, 'close');
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.#output += chunk.toString();
      });
    }
  }

  /** `user`: user part of its address. */
  static async start(user: string): Promise<Baresip> {
    const folder = await mkdtemp(join(tmpdir(), 'baresip-'));
    const address = ADDRESS;
    const { first: port, last } = await freePortRange(PORTS, { address });
    await writeFile(join(folder, 'config'), configOf(address, { port, last }));
    await writeFile(join(folder, 'accounts'), accountOf(user, port));
    await writeFile(join(folder, 'contacts'), '');
    const child = spawn('baresip', ['-4', '-v', '-f', folder], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const phone = new Baresip(child, folder, { address, port });
    try {
      await waitFor('baresip', () => phone.#output.includes('baresip is ready'), phone.#details());
      await phone.#openControl(controlPort(port));
    } catch (error) {
      await phone.close();
      throw error;
    }
    return phone;
  }

  /** Runs one of its commands, such as `dial`; gives what it says to it. */
  async command(name: string, params = ''): Promise<string> {
    const index = this.#answers.length;
    const text = JSON.stringify({ command: name, params, token: name });
    this.#socket?.write(`${Buffer.byteLength(text)}:${text},`);
    return waitFor(`answer to ${name}`, () => this.#answers[index], this.#details());
  }

  /** Resolves when an event of this type has come `count` times in all. */
  async waitForEvent(type: string, count = 1): Promise<void> {
    const isThere = (): boolean => this.events.filter((event) => event === type).length >= count;
    await waitFor(type, isThere, this.#details());
  }

  async close(): Promise<void> {
    this.#socket?.destroy();
    this.#child.kill('SIGTERM');
    const limit = setTimeout(() => this.#child.kill('SIGKILL'), KILL_AFTER_MS);
    await this.#exited;
    clearTimeout(limit);
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #openControl(port: number): Promise<void> {
    const socket = connect(port, this.address);
    this.#socket = socket;
    await once(socket, 'connect');
    socket.on('error', () => socket.destroy());
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => this.#receive(text));
  }

  #receive(text: string): void {
    this.#unread += text;
    for (;;) {
      const length = /^(\d+):/.exec(this.#unread);
      if (length === null) return;
      const start = length[0].length;
      const end = start + Number(length[1]);
      // The comma behind it closes a netstring; texts here are ASCII.
      if (this.#unread.length <= end) return;
      const message: unknown = JSON.parse(this.#unread.slice(start, end));
      this.#unread = this.#unread.slice(end + 1);
      if (typeof message === 'object' && message !== null) this.#take({ ...message });
    }
  }

  #take(message: Readonly<Record<string, unknown>>): void {
    const { response, data, type } = message;
    if (response === true) this.#answers.push(String(data));
    else this.events.push(String(type));
  }

  #details(): { timeoutMs: number; details: () => string } {
    const seen = (): string => this.events.join(' ');
    return { timeoutMs: PATIENCE_MS, details: () => `${seen()}\n${this.#output}` };
  }
}

function controlPort(port: number): number {
  return port + 2;
}

function configOf(address: string, { port, last }: { port: number; last: number }): string {
  const lines = [
    `sip_listen ${address}:${port}`,
    // By name it would not take the loopback interface.
    `net_interface ${address}`,
    `rtp_ports ${port + FIRST_RTP}-${last}`,
    'jitter_buffer_delay 1-5',
    // A tone, which this module makes in one format only.
    'audio_source ausine,440',
    'ausrc_srate 48000',
    'ausrc_channels 2',
    'audio_player aubridge,player',
    'audio_alert aubridge,alert',
    `module_path ${MODULES}`,
    'module g711.so',
    'module aubridge.so',
    'module ausine.so',
    'module_tmp uuid.so',
    'module_tmp account.so',
    'module_app menu.so',
    'module_app ctrl_tcp.so',
    `ctrl_tcp_listen ${address}:${controlPort(port)}`,
  ];
  return `${lines.join('\n')}\n`;
}

function accountOf(user: string, port: number): string {
  const parameters = 'regint=0;answermode=manual;audio_codecs=PCMU/8000/1,PCMA/8000/1';
  return `<sip:${user}@${ADDRESS}:${port}>;${parameters};dtmfmode=rtpevent\n`;
}
