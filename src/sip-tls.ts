/** TLS of the embedded engine as the configuration has it, and what becomes of handshakes. */
import type { SipInterface } from './config/config.ts';
import { type TlsTexts, readTlsFiles } from './config/tls-files.ts';
import type { EngineThreadListener } from './engine/engine-thread.ts';
import type { Log } from './observe/log.ts';

/** Certificate, key or authorities of a sip-interface are unusable; the message names it and the file. */
export class TlsFilesProblem extends Error {
  readonly interfaceName: string;

  constructor(interfaceName: string, cause: unknown) {
    const why = cause instanceof Error ? cause.message : String(cause);
    super(`sip-interface ${interfaceName}: ${why}`, { cause });
    this.interfaceName = interfaceName;
  }
}

/**
 * Certificate, key and checks for the tls ports of `item`; `undefined` where it has none.
 *
 * @throws TlsFilesProblem when one of them is unusable.
 */
export function engineTls({ name, sipPorts, tls }: SipInterface): TlsTexts | undefined {
  if (tls === undefined || !sipPorts.some(({ transport }) => transport === 'tls')) return undefined;
  try {
    return readTlsFiles(tls);
  } catch (error) {
    throw new TlsFilesProblem(name, error);
  }
}

/** A server that fails our check costs calls; a stranger that fails at our port is no more than worth knowing. */
export function watchHandshakes(log: Log): NonNullable<EngineThreadListener['onHandshakeFailed']> {
  return (sipInterface, { direction, remote, reason }) => {
    const fields = { interface: sipInterface, direction, remote, reason };
    log[direction === 'outbound' ? 'warn' : 'info'](fields, 'TLS handshake failed');
  };
}
