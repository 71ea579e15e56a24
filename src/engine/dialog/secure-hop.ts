/** Whether `uri` asks for TLS on every hop (RFC 3261 §26.2.2). */
export function isSips(uri: string): boolean {
  return /^sips:/i.test(uri);
}

/** The URI that a request to `target` goes by, when `hop` is the first on its way: as secure as the target (§8.1.2). */
export function secureHop(hop: string, target: string): string {
  return isSips(target) ? hop.replace(/^sip:/i, 'sips:') : hop;
}
