/** What becomes of requests outside every dialog that set up no call: where each method is relayed to. */
import type { SessionAgent, SipInterface } from './config.ts';

/** Methods that can be relayed; OPTIONS is always answered by us, SUBSCRIBE only where we are the notifier. */
export const RELAYED_METHODS = ['REGISTER', 'MESSAGE', 'PUBLISH', 'NOTIFY', 'INFO'] as const;
export type RelayedMethod = (typeof RELAYED_METHODS)[number];

/** In place of a name: refused with 405. */
export const REJECT = 'reject';

/** Name of a session agent or group by method, or `reject`; a method that is missing is not set here. */
export type MethodRelays = Readonly<Partial<Record<RelayedMethod, string>>>;

/** The agent or group that gets requests of `method`; `undefined`: nobody, they are refused. */
export function relayTarget(
  method: string,
  from: {
    readonly sipInterface: Pick<SipInterface, 'methods'>;
    readonly agent: Pick<SessionAgent, 'methods'> | undefined;
  },
): string | undefined {
  const known = RELAYED_METHODS.find((each) => each === method);
  if (known === undefined) return undefined;
  const target = from.agent?.methods?.[known] ?? from.sipInterface.methods?.[known];
  return target === REJECT ? undefined : target;
}
