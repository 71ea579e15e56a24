import { getHeaders, type SipResponse } from '../../wire/sip-message.ts';
import { isRedirection, whyNotFollowed } from './attempt-failure.ts';
import type { CalleeAttempt } from './callee-attempt.ts';
import type { HopQueue } from './hop-queue.ts';
import type { SetupHost } from './setup-host.ts';

/** Whether a redirecting answer leads to another hop, and for the record why it does not. */
export function followRedirect(
  { host, hops }: { readonly host: SetupHost; readonly hops: HopQueue },
  { session, hop }: Pick<CalleeAttempt, 'session' | 'hop'>,
  response: SipResponse | undefined,
): { isFollowed: boolean; note: string } {
  if (response === undefined || !isRedirection(response.status)) {
    return { isFollowed: false, note: '' };
  }
  const follow = session.legs.callee.settings.followRedirects.value;
  const contacts = getHeaders(response, 'Contact');
  const redirection = host.redirect({ from: hop, contacts, follow });
  const followed = hops.redirect(redirection.hops);
  const { refused } = redirection;
  host.redirected({ followed: followed.map(({ requestUri }) => requestUri), refused });
  return { isFollowed: followed.length > 0, note: whyNotFollowed(redirection) };
}
