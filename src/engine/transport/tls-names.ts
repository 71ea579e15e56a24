/**
 * Whether a certificate speaks for a SIP domain (RFC 5922 §7.1, §7.2). Pure.
 *
 *   subjectAltName     URI:sip:host          the domain is `host`; other schemes and user parts do not count
 *                      DNS:host              counts if there is no such URI
 *                      IP Address:address    counts for targets that are addresses
 *   none of these      CN=host
 *
 * Names are compared as a whole: neither wildcards nor suffixes fit.
 */
export interface CertificateNames {
  /** In the form of OpenSSL: `DNS:a.example, URI:sip:b.example`. */
  readonly subjectAltName: string | undefined;
  /** Several only in unusual certificates, which then have none that counts. */
  readonly commonName: string | readonly string[] | undefined;
}

/** @returns what is wrong when the certificate does not fit `host`, a name or an IP address without brackets. */
export function certificateProblem(host: string, names: CertificateNames): string | undefined {
  const wanted = comparable(host);
  const identities = identitiesOf(names);
  if (identities.some((identity) => comparable(identity) === wanted)) return undefined;
  const list = identities.slice(0, MAX_SHOWN).join(', ');
  return `certificate is for ${list === '' ? 'no host' : list}, not for ${host}`;
}

const MAX_SHOWN = 5;
const SIP_DOMAIN = /^sip:([^@;?:[\]]+|\[[0-9A-Fa-f:.]+\])(?::\d+)?(?:[;?].*)?$/i;

function identitiesOf({ subjectAltName, commonName }: CertificateNames): readonly string[] {
  if (subjectAltName === undefined || subjectAltName === '') {
    return typeof commonName === 'string' ? [commonName] : [];
  }
  const entries = splitAltNames(subjectAltName);
  const uris = valuesOf(entries, 'URI:').flatMap((uri) => SIP_DOMAIN.exec(uri)?.[1] ?? []);
  const names = uris.length > 0 ? uris : valuesOf(entries, 'DNS:');
  return [...names, ...valuesOf(entries, 'IP Address:')];
}

/** Values with commas or quotes in them are in quotation marks; no host looks like that, so they fit nothing. */
function splitAltNames(text: string): readonly string[] {
  return text.match(/(?:"(?:[^"\\]|\\.)*"|[^",])+/g)?.map((entry) => entry.trim()) ?? [];
}

function valuesOf(entries: readonly string[], prefix: string): readonly string[] {
  return entries
    .filter((entry) => entry.startsWith(prefix))
    .map((entry) => entry.slice(prefix.length));
}

/** Without case and the dot of the root; IPv6 addresses in one spelling. */
function comparable(host: string): string {
  const bare = host.toLowerCase().replace(/^\[(.*)\]$/, '$1');
  if (!bare.includes(':')) return bare.replace(/\.$/, '');
  const parsed = URL.parse(`sip://[${bare}]`)?.hostname;
  return parsed === undefined || parsed === '' ? bare : parsed;
}
