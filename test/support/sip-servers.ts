/** Engines that run beside the SBC in the role of drachtio-servers, and configurations that name them. */

import { startEngine } from '../../src/engine/engine.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { closeAfterTest } from './leak-check.ts';

const SECRET = 'server-secret';
const EMBEDDED = 'sip: { engine: embedded }';

interface Point {
  readonly protocol: 'udp' | 'tcp';
  readonly address: string;
  readonly port: number;
}

export class SipServers {
  /** In the order of the sip-interfaces; one in all when they share it. */
  readonly #engines: Engine[] = [];

  /** The configuration with one server for all interfaces. */
  async shareOne(yaml: string): Promise<string> {
    const port = await this.#start(interfaceLines(yaml).flatMap(pointsOf));
    const server = `{ host: 127.0.0.1, port: ${port}, secret: ${SECRET} }`;
    return yaml.replace(EMBEDDED, `sip: { engine: drachtio, drachtio: ${server} }`);
  }

  /** The configuration with a server for each interface. */
  async oneForEach(yaml: string): Promise<string> {
    let text = yaml.replace(EMBEDDED, 'sip: { engine: drachtio }');
    for (const line of interfaceLines(yaml)) {
      const port = await this.#start(pointsOf(line));
      const server = `    drachtio: { host: 127.0.0.1, port: ${port}, secret: ${SECRET} }`;
      text = text.replace(line, `${line}\n${server}`);
    }
    return text;
  }

  /** Takes the server of the `index`-th interface down, with all its connections. */
  async lose(index: number): Promise<void> {
    await this.#engines[index]?.close();
  }

  async #start(listen: readonly Point[]): Promise<number> {
    const admin = { host: '127.0.0.1', port: 0 };
    const engine = closeAfterTest(await startEngine({ listen, admin, secret: SECRET }));
    this.#engines.push(engine);
    return engine.adminPort;
  }
}

function interfaceLines(yaml: string): string[] {
  return yaml.split('\n').filter((line) => line.includes('sip-ports:'));
}

function pointsOf(line: string): Point[] {
  return [...line.matchAll(/(udp|tcp)\/([\d.]+):(\d+)/g)].map(([, protocol, address, port]) => ({
    protocol: protocol === 'tcp' ? 'tcp' : 'udp',
    address: address ?? '',
    port: Number(port),
  }));
}
