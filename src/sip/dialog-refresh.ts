/** What the session timer of a dialog (RFC 4028) adds to its messages and hears of them. */
import type { SipRequest, SipResponse } from '../wire/sip-message.ts';
import type { SipHeaders } from './sip-connection.ts';

/** Every INVITE and UPDATE in an answered dialog refreshes the session, whatever else it does. */
export interface DialogRefresh {
  /** For a request of ours. */
  requestHeaders(): SipHeaders;
  /** For a 422 to a request of the peer; `undefined` when it can be served. */
  refusal(request: SipRequest): SipHeaders | undefined;
  /** For our 2xx to a request of the peer; `sent` once it has left. */
  accept(request: SipRequest): { readonly headers: SipHeaders; sent(): void };
  /** A 2xx to a request of ours. */
  accepted(response: SipResponse): void;
  /** A refusal of a request of ours; true for a 422 when the same with new headers may be served. */
  tooShort(response: SipResponse | undefined): boolean;
}

const REFRESHING = new Set(['INVITE', 'UPDATE']);

export function isRefreshing(method: string): boolean {
  return REFRESHING.has(method);
}

/** Headers of both; lists of extensions are joined, of anything else `added` counts. */
export function withRefresh(headers: SipHeaders, added: SipHeaders): SipHeaders {
  const merged = { ...headers, ...added };
  for (const name of ['Supported', 'Require']) {
    const lists = [headers[name], added[name]].filter((list) => list !== undefined);
    if (lists.length > 1) merged[name] = lists.join(', ');
  }
  return merged;
}
