import type { Socket } from 'node:net';
import { connect, createSecureContext } from 'node:tls';
import type { SecureContext } from 'node:tls';
import { familyOf } from './address.ts';
import type { ListenPoint } from './flow.ts';
import { addressesOf } from './stream-security.ts';
import type { OpeningStream, StreamSecurity } from './stream-security.ts';
import { TlsHandshakes } from './tls-handshakes.ts';
import type { TlsHandshakesUser } from './tls-handshakes.ts';
import { certificateProblem } from './tls-names.ts';
import { secureOptionsOf } from './tls-settings.ts';
import type { TlsSettings } from './tls-settings.ts';
import type { RemotePoint } from './transport-events.ts';
import type { TransportLimits } from './transport-limits.ts';

/** TLS 1.2 and 1.3 around the connections of one listen point (RFC 3261 §26.2, RFC 5922). */
export class TlsStreams implements StreamSecurity {
  readonly #settings: TlsSettings;
  readonly #context: SecureContext;
  readonly #handshakes: TlsHandshakes;

  /** @throws Error of OpenSSL when certificate and key are unreadable or do not fit each other. */
  constructor(settings: TlsSettings, limits: TransportLimits, user: TlsHandshakesUser) {
    this.#settings = settings;
    this.#context = createSecureContext(secureOptionsOf(settings));
    this.#handshakes = new TlsHandshakes(settings, limits, user);
  }

  accept(socket: Socket): void {
    this.#handshakes.accept(socket);
  }

  connect(remote: RemotePoint, local: ListenPoint): OpeningStream {
    const host = remote.host ?? remote.address;
    const isName = familyOf(host) === undefined;
    const socket = connect({
      ...addressesOf(remote, local),
      secureContext: this.#context,
      // RFC 6066 §3: the name as it was asked for, no addresses.
      servername: isName ? host.replace(/\.$/, '') : '',
      rejectUnauthorized: this.#settings.verify !== 'none',
      checkServerIdentity: (_name, certificate) => {
        const problem = certificateProblem(host, {
          subjectAltName: certificate.subjectaltname,
          commonName: certificate.subject.CN,
        });
        return problem === undefined ? undefined : new Error(problem);
      },
    });
    return { socket, readyEvent: 'secureConnect' };
  }

  /** A connection serves only requests to the host whose name was checked on it. */
  identityOf(remote: RemotePoint): string {
    if (this.#settings.verify === 'none') return '';
    return (remote.host ?? remote.address).toLowerCase();
  }

  close(): void {
    this.#handshakes.close();
  }
}
