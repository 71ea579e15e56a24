import { X509Certificate, createPrivateKey } from 'node:crypto';
import type { TlsConfig } from './config.ts';
import { readSmallFile } from './small-file.ts';

/** The files of `tls` as PEM text, with what was decided about them. */
export interface TlsTexts {
  readonly certificate: string;
  readonly key: string;
  readonly ca: string | undefined;
  readonly verify: TlsConfig['verify'];
  readonly clientCertificates: TlsConfig['clientCertificates'];
}

/**
 * Reads and checks certificate, key and authorities; relative names start at the current directory.
 *
 * @throws Error that names the file and says what is wrong with it.
 */
export function readTlsFiles(tls: TlsConfig): TlsTexts {
  const certificate = readText('certificate', tls.certificate);
  const key = readText('key', tls.key);
  const ca = tls.ca === undefined ? undefined : readText('ca', tls.ca);
  const own = readCertificate('certificate', tls.certificate, certificate);
  if (ca !== undefined) readCertificate('ca', tls.ca ?? '', ca);
  if (!own.checkPrivateKey(readKey(tls.key, key))) {
    throw new Error(`key ${tls.key} does not belong to certificate ${tls.certificate}`);
  }
  const { verify, clientCertificates } = tls;
  return { certificate, key, ca, verify, clientCertificates };
}

/** When the certificate in `text` begins and ends to be valid. */
export function validityOf(text: string): { readonly fromMs: number; readonly toMs: number } {
  const { validFromDate, validToDate } = new X509Certificate(text);
  return { fromMs: validFromDate.getTime(), toMs: validToDate.getTime() };
}

function readText(what: string, path: string): string {
  try {
    return readSmallFile(path);
  } catch (error) {
    throw new Error(`${what} ${path} cannot be read: ${messageOf(error)}`, { cause: error });
  }
}

function readCertificate(what: string, path: string, text: string): X509Certificate {
  try {
    return new X509Certificate(text);
  } catch (error) {
    throw new Error(`${what} ${path} holds no certificate in PEM form`, { cause: error });
  }
}

function readKey(path: string, text: string): ReturnType<typeof createPrivateKey> {
  try {
    return createPrivateKey(text);
  } catch (error) {
    throw new Error(`key ${path} holds no private key in PEM form without pass phrase`, {
      cause: error,
    });
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
