/** What an accepted SUBSCRIBE makes the service do: read the state, or change it first. */

import { ownText } from '../wire/own-bytes.ts';
import { getHeader } from '../wire/sip-message.ts';
import type { ReceivedRequest } from '../sip/sip-connection.ts';
import { formatHostPort } from '../wire/sip-uri.ts';
import type {
  FeatureActor,
  FeatureService,
  FeatureWatcher,
  PhoneSet,
  StoreFailure,
} from './feature-service.ts';
import type { AccountState } from './feature-state.ts';
import {
  type AcceptedSubscribe,
  refusal,
  type Refusal,
  refusedSetWarning,
} from './subscribe-ladder.ts';

/** The state that the phone is told, and what its answer says of sets that were not granted. */
export interface TurnDone {
  readonly type: 'done';
  readonly state: AccountState;
  readonly headers: Readonly<Record<string, string>>;
}

/** The last non-empty `device` of a dialog is told back; nobody has names longer than this. */
const MAX_DEVICE_LENGTH = 128;
const RETRY_AFTER_SECONDS = '5';

/** @param setter the dialog the SUBSCRIBE came in; `undefined` for one that opens a dialog. */
export async function takeTurn(
  service: FeatureService,
  accepted: AcceptedSubscribe,
  received: ReceivedRequest,
  setter?: FeatureWatcher,
): Promise<TurnDone | Refusal> {
  const { account, sets } = accepted;
  const actor = actorOf(accepted, received);
  if (sets.length === 0) {
    const read = await service.read(account.presentity, actor, setter);
    if (read.type !== 'state') return failure(read, account.domain);
    return { type: 'done', state: read.state, headers: {} };
  }
  const wanted = sets.map(({ feature, status, forwardTo, ringCount }): PhoneSet => ({
    feature,
    status,
    ...(forwardTo === undefined ? {} : { forwardTo }),
    ...(ringCount === undefined ? {} : { ringCount }),
  }));
  const result = await service.setAll(account.presentity, wanted, actor, setter);
  if (result.type !== 'done') return failure(result, account.domain);
  const failed = result.outcomes.find(({ type }) => type === 'failed');
  if (failed?.type === 'failed') return failure(failed, account.domain);
  const codes = result.outcomes.flatMap((each) => (each.type === 'refused' ? [each.code] : []));
  const warning = refusedSetWarning(account.domain, [...new Set(codes)]);
  const headers: Record<string, string> = codes.length === 0 ? {} : { Warning: warning };
  return { type: 'done', state: result.state, headers };
}

/** The `device` that a SUBSCRIBE names last; `undefined` when it names none that can be told back. */
export function deviceIn({ sets }: AcceptedSubscribe): string | undefined {
  const device = sets.findLast((set) => (set.device ?? '') !== '')?.device;
  return device !== undefined && device.length <= MAX_DEVICE_LENGTH ? ownText(device) : undefined;
}

/** Storage that fails is 500, never 503: phones leave a server that says 503. */
function failure(result: { type: 'unknown-account' } | StoreFailure, host: string): Refusal {
  if (result.type === 'unknown-account') return refusal(404, host);
  const text = result.cause === 'timeout' ? 'state took too long' : 'state is not available';
  const refused = refusal(500, host, { code: result.cause, text });
  return { ...refused, headers: { ...refused.headers, 'Retry-After': RETRY_AFTER_SECONDS } };
}

function actorOf(accepted: AcceptedSubscribe, { message, source }: ReceivedRequest): FeatureActor {
  const header = (name: string): string => ownText(getHeader(message, name) ?? '');
  const sip = {
    callId: header('Call-ID'),
    cseq: accepted.cseq,
    userAgent: header('User-Agent'),
    remote: formatHostPort(source.address, source.port),
    transport: source.protocol,
    device: deviceIn(accepted) ?? '',
  };
  return { source: 'phone', actor: accepted.actor, origin: { ...sip }, sip };
}
