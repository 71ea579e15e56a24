import { constants } from 'node:crypto';

/** What TLS listen points and connections are secured with; all certificates and keys are PEM text. */
export interface TlsSettings {
  /** Own certificate, followed by the intermediate ones. */
  readonly certificate: string;
  readonly key: string;
  /** Authorities trusted in place of those that come with the runtime. */
  readonly ca?: string | undefined;
  /**
   * Whether a server we connect to must prove who it is: a chain up to a trusted authority and the name of the host we
   * meant (RFC 5922 §7.2). Default required.
   */
  readonly verify?: 'required' | 'none' | undefined;
  /** Whether a client must show a certificate of a trusted authority. Default none. */
  readonly clientCertificates?: 'none' | 'required' | undefined;
}

/** The same for clients and servers, in the runtime's own words. */
export function secureOptionsOf(settings: TlsSettings): {
  cert: string;
  key: string;
  ca?: string;
  minVersion: 'TLSv1.2';
  secureOptions: number;
} {
  const { certificate, key, ca } = settings;
  return {
    cert: certificate,
    key,
    ...(ca === undefined ? {} : { ca }),
    minVersion: 'TLSv1.2',
    // RFC 5746: renegotiation costs us more than the peer, and SIP has no use for it.
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
  };
}
