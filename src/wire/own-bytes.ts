/**
 * A copy of `bytes` in memory of exactly its size. Small buffers are parts of a pool of 64 kB that lives as long as
 * any of them: what a call or a transaction keeps must not be one.
 */
export function ownBytes(bytes: Uint8Array): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  copy.set(bytes);
  return copy;
}

/** `text` without the longer text it may have been cut from, which would live as long as the part does. */
export function ownText(text: string): string {
  return Buffer.from(text).toString();
}
