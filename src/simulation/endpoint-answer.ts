/** What a simulated callee does with an INVITE. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { IncomingInvite } from '../sip/incoming-invite.ts';
import type { SipHeaders } from '../sip/sip-connection.ts';
import { listsExtension } from '../sip/stray-requests.ts';
import type { Endpoint } from './endpoint.ts';
import type { CalleeScript } from './scenario.ts';

/** No codec in common. */
const NOT_ACCEPTABLE = 488;

/** Rings and gives the final answer as the script has it, unless the caller gives up before. */
export async function ringAndAnswer(
  endpoint: Endpoint,
  invite: IncomingInvite,
  script: CalleeScript,
): Promise<void> {
  const { ringing, answers } = script;
  invite.onCancel(() => {
    endpoint.outcome = { status: 487, reason: 'Request Terminated' };
    endpoint.end();
  });
  if (answers === 'silent' || answers === 'unreachable') return;
  const isRinging = ringing !== undefined && ringing.afterMs < answers.afterMs;
  if (isRinging) {
    await sleep(ringing.afterMs);
    ring(endpoint, invite, script, ringing.status);
  }
  await sleep(answers.afterMs - (isRinging ? ringing.afterMs : 0));
  if (endpoint.isOver) return;
  const isAcceptable = invite.offer === undefined || endpoint.sdp.canAnswer(invite.offer);
  if (answers.status >= 300) refuse(endpoint, invite, script, answers.status);
  else if (isAcceptable) accept(endpoint, invite);
  else refuse(endpoint, invite, script, NOT_ACCEPTABLE);
}

function ring(
  endpoint: Endpoint,
  invite: IncomingInvite,
  script: CalleeScript,
  status: number,
): void {
  if (endpoint.isOver) return;
  const { offer } = invite;
  const hasAnswer = script.hasEarlyMedia && offer !== undefined && endpoint.sdp.canAnswer(offer);
  const body = hasAnswer ? endpoint.sdp.answer(offer) : undefined;
  const isReliable = script.isReliable && listsExtension(invite.message, 'Supported', '100rel');
  const headers = {
    ...ownHeaders(endpoint, body),
    ...(isReliable ? { Require: '100rel' } : {}),
  };
  const options = { headers, ...(body === undefined ? {} : { body }) };
  invite.progress(status, options, endpoint.handler);
  if (body !== undefined) endpoint.follow(invite.message);
}

function accept(endpoint: Endpoint, invite: IncomingInvite): void {
  const { offer } = invite;
  const body = offer === undefined ? endpoint.sdp.offer() : endpoint.sdp.answer(offer);
  if (offer === undefined) endpoint.awaitAnswer();
  const headers = ownHeaders(endpoint, body);
  invite.accept({ headers, body }, endpoint.handler, (outcome) => {
    if (outcome.type === 'failed') return;
    endpoint.outcome = { status: 200, reason: 'OK' };
    endpoint.answered(outcome.dialog, invite.message);
  });
}

function refuse(
  endpoint: Endpoint,
  invite: IncomingInvite,
  { contact }: CalleeScript,
  status: number,
): void {
  endpoint.outcome = { status, reason: 'refused' };
  const headers = contact === undefined ? {} : { Contact: contact };
  invite.reject(status, { headers: { ...headers, ...endpoint.options.script.headers } });
  endpoint.end();
}

function ownHeaders(endpoint: Endpoint, body: string | undefined): SipHeaders {
  return { ...endpoint.headers(body), ...endpoint.options.script.headers };
}
