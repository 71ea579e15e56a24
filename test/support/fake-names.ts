/** A name server that knows what it is told and counts what it is asked. */
import type { LookUp } from '../../src/engine/transport/resolve.ts';

export class FakeNames implements LookUp {
  readonly asked: string[] = [];
  readonly #hosts: Readonly<Record<string, readonly string[]>>;
  readonly #services: Readonly<Record<string, readonly string[]>>;

  /**
   * @param hosts addresses by host name.
   * @param services SRV records by service name, each as `priority weight port host`.
   */
  constructor(
    hosts: Readonly<Record<string, readonly string[]>>,
    services: Readonly<Record<string, readonly string[]>> = {},
  ) {
    this.#hosts = hosts;
    this.#services = services;
  }

  addresses(host: string): ReturnType<LookUp['addresses']> {
    this.asked.push(host);
    const found = this.#hosts[host];
    if (found === undefined) return Promise.reject(new Error(`ENOTFOUND ${host}`));
    return Promise.resolve(found.map((address) => ({ address })));
  }

  services(name: string): ReturnType<LookUp['services']> {
    this.asked.push(name);
    const found = this.#services[name];
    if (found === undefined) return Promise.reject(new Error(`ENOTFOUND ${name}`));
    const records = found.map((record) => {
      const [priority, weight, port, host = ''] = record.split(' ');
      return { priority: Number(priority), weight: Number(weight), port: Number(port), name: host };
    });
    return Promise.resolve(records);
  }
}
