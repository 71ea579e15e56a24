/** TLS of the embedded engine as the configuration has it, and what becomes of handshakes. */
import type { SipInterface } from './config/config.ts';
import { type TlsTexts, readTlsFiles } from './config/tls-files.ts';
import type { EngineThreadListener } from './engine/engine-thread.ts';
import type { Log } from './observe/log.ts';

/**
 * Certificate, key and checks for the tls ports of `item`; `undefined` where it has none.
 *
 * @throws Error that names interface and file when one of them is unusable.
 */
export function engineTls({ name, sipPorts, tls }: SipInterface): TlsTexts | undefined {
  if (tls === undefined || !sipPorts.some(({ transport }) => transport === 'tls')) return undefined;
  try {
    return readTlsFiles(tls);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`sip-interface ${name}: ${why}`, { cause: error });
  }
}

/** A server that fails our check costs calls; a stranger that fails at our port is no more than worth knowing. */
export function watchHandshakes(log: Log): NonNullable<EngineThreadListener['onHandshakeFailed']> {
  return (sipInterface, { direction, remote, reason }) => {
    const fields = { interface: sipInterface, direction, remote, reason };
    log[direction === 'outbound' ? 'warn' : 'info'](fields, 'TLS handshake failed');
  };
}
