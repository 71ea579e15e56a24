/** The certificates of test/fixtures/tls; which name is in which one stands in the README there. */

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export type TlsOwner = 'sbc' | 'carrier' | 'stranger' | 'expired';

export function tlsPath(file: string): string {
  return fileURLToPath(new URL(`../fixtures/tls/${file}`, import.meta.url));
}

/** PEM text of a certificate and its key. */
export function tlsOwner(name: TlsOwner): { readonly certificate: string; readonly key: string } {
  return { certificate: tlsText(`${name}.pem`), key: tlsText(`${name}.key`) };
}

/** PEM text of the authority that the SBC trusts in these tests, or of the other one. */
export function tlsAuthority(name: 'ca' | 'other-ca' = 'ca'): string {
  return tlsText(`${name}.pem`);
}

function tlsText(file: string): string {
  return readFileSync(tlsPath(file), 'utf8');
}
