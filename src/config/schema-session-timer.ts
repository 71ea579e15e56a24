/** Keys of session timers (RFC 4028) and of the liveness of legs without one, as they stand on interfaces and agents. */
import { choice, integer } from './values.ts';

const DAY_SECONDS = 86_400;

/** How long a dialog may go unheard of, and who has to be heard, per leg. */
export const SESSION_TIMER_FIELDS = {
  sessionTimer: choice(
    ['enabled', 'disabled', 'force'],
    'Session timer of this leg (RFC 4028): enabled asks for one and agrees to one, force refreshes also where the peer knows none, disabled only obeys a peer that insists.',
  ),
  sessionExpires: integer(
    { minimum: 1, maximum: DAY_SECONDS, unit: 's' },
    'Session interval that we ask for, and the longest that we agree to; seconds.',
  ),
  minSe: integer(
    { minimum: 1, maximum: DAY_SECONDS, unit: 's' },
    'Shortest session interval: less gets 422 from a peer that knows session timers; seconds, 90 at least by RFC 4028.',
  ),
  sessionRefresher: choice(
    ['auto', 'us', 'peer'],
    'Who refreshes where the peer leaves it open: auto lets the peer choose, and refresh where it does not.',
  ),
  dialogPing: integer(
    { minimum: 0, maximum: DAY_SECONDS, unit: 's' },
    'How often a peer without session timer is asked by OPTIONS in its dialog whether it still has the call; seconds, 0 for never.',
  ),
} as const;
