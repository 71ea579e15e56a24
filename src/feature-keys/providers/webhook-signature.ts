/** Signature of what is sent to a webhook. */

import { createHmac } from 'node:crypto';

/**
 * `v1=<hex>` for each secret, in their order, with a comma between: HMAC-SHA-256 of the time, a full stop and the body.
 *
 * @param timestamp Unix seconds, as in the header beside it.
 */
export function webhookSignature(
  secrets: readonly string[],
  timestamp: string,
  body: string,
): string {
  return secrets
    .map((secret) => {
      const hmac = createHmac('sha256', secret).update(`${timestamp}.${body}`);
      return `v1=${hmac.digest('hex')}`;
    })
    .join(',');
}
