import { eventTypeOf, REFER_PACKAGE } from './event-type.ts';
import { tagOf } from '../wire/sip-headers.ts';
import { getHeader, getHeaders, type SipMessage, type SipRequest } from '../wire/sip-message.ts';
import type { ReceivedRequest } from './sip-connection.ts';

/** Methods we take part in, as in our Allow headers. */
export const ALLOWED_METHODS =
  'INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, PRACK, UPDATE, SUBSCRIBE, NOTIFY, MESSAGE, REFER';

/** Extensions we have, in lower case, as in our Supported headers. */
const OUR_EXTENSIONS: readonly string[] = ['100rel', 'timer', 'replaces', 'norefersub'];

/** Event packages for which we can be notifier (RFC 6665 §8.2.2). */
export const OUR_EVENT_PACKAGES = 'kpml';

/** What the answer depends on beside the request. */
export interface StrayContext {
  readonly isDraining: boolean;
  /** False for a source that may not use the interface. */
  readonly isAdmitted: boolean;
  /** Methods that are relayed for this sender. */
  readonly relayed?: readonly string[];
  /** Whether an INVITE of this sender may take the place of a call (RFC 3891). */
  readonly mayReplace?: boolean;
  /** Event packages beside our own that are served here. */
  readonly servedPackages?: readonly string[];
  /** Relays the request; false: it is answered here. */
  relay?(request: ReceivedRequest): boolean;
}

/** The value of Allow-Events where `served` are there beside our own. */
export function allowEvents(served: readonly string[] = []): string {
  return [OUR_EVENT_PACKAGES, ...served].join(', ');
}

/** What the request insists on and we do not have, so that it is refused (RFC 3261 §8.2.2.3). */
export function requiredExtensions(message: SipRequest): readonly string[] {
  return extensionsIn(message, 'Require').filter(
    (extension) => !OUR_EXTENSIONS.includes(extension.toLowerCase()),
  );
}

/** Whether Supported or Require of `message` name an extension. */
export function listsExtension(
  message: SipMessage,
  header: 'Supported' | 'Require',
  extension: string,
): boolean {
  return extensionsIn(message, header).some((listed) => listed.toLowerCase() === extension);
}

function extensionsIn(message: SipMessage, header: string): readonly string[] {
  return getHeaders(message, header)
    .flatMap((value) => value.split(',').map((text) => text.trim()))
    .filter((text) => text !== '');
}

/**
 * Answers a request that belongs to no dialog of ours and opens none:
 * strangers 403, SUBSCRIBE for a package nobody serves 489, requests with a To tag 481, what is relayed its answer,
 * OPTIONS 200 (503 while draining), other SUBSCRIBEs 489, the rest 405.
 */
export function answerStrayRequest(request: ReceivedRequest, context: StrayContext): void {
  const { method } = request.message;
  if (method === 'ACK' || method === 'CANCEL' || request.isUnsolicited) return;
  if (!context.isAdmitted) {
    request.respond(403, {});
    return;
  }
  // What is asked for counts before how it is asked for (RFC 6665 §4.2.1.1, and as whoever serves a package judges).
  if (method === 'SUBSCRIBE' && !isKnownPackage(request.message, context)) {
    refusePackage(request, context);
    return;
  }
  if (tagOf(getHeader(request.message, 'To') ?? '') !== undefined) {
    request.respond(481, {});
    return;
  }
  const required = requiredExtensions(request.message);
  if (required.length > 0) {
    request.respond(420, { headers: { Unsupported: required.join(', ') } });
    return;
  }
  if (context.relay?.(request) === true) return;
  switch (method) {
    case 'OPTIONS':
      answerOptions(request, context);
      return;
    case 'SUBSCRIBE':
      refusePackage(request, context);
      return;
    case 'NOTIFY':
    case 'BYE':
    case 'UPDATE':
    case 'PRACK':
      request.respond(481, {});
      return;
    default:
      request.respond(405, { headers: { Allow: allowed(context, method) } });
  }
}

/** Whether there could be a dialog for such a SUBSCRIBE. */
function isKnownPackage(message: SipRequest, { servedPackages = [] }: StrayContext): boolean {
  return [OUR_EVENT_PACKAGES, REFER_PACKAGE, ...servedPackages].includes(eventTypeOf(message));
}

function refusePackage(request: ReceivedRequest, { servedPackages }: StrayContext): void {
  request.respond(489, { headers: { 'Allow-Events': allowEvents(servedPackages) } });
}

/** What the sender may use, but for the method that has just been refused. */
function allowed({ relayed = [] }: StrayContext, refused?: string): string {
  const methods = new Set([...ALLOWED_METHODS.split(', '), ...relayed]);
  return [...methods].filter((method) => method !== refused).join(', ');
}

function supported({ mayReplace = false }: StrayContext): string {
  return OUR_EXTENSIONS.filter((extension) => mayReplace || extension !== 'replaces').join(', ');
}

function answerOptions(request: ReceivedRequest, context: StrayContext): void {
  if (context.isDraining) {
    request.respond(503, { headers: { 'Retry-After': '60' } });
    return;
  }
  request.respond(200, {
    headers: {
      Allow: allowed(context),
      Supported: supported(context),
      Accept: 'application/sdp, application/kpml-request+xml, application/kpml-response+xml',
      'Allow-Events': allowEvents(context.servedPackages),
    },
  });
}
