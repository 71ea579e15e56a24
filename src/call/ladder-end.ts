import type { LadderEnd } from '../observe/ladder.ts';
import type { SipTrace } from '../sip/dialog.ts';
import { ownText } from '../wire/own-bytes.ts';
import { addressFamily } from '../wire/sdp-address.ts';
import type { Side } from '../wire/side.ts';
import { formatHostPort, parseHostPort } from '../wire/sip-uri.ts';
import type { CallContext } from './call-context.ts';
import type { CallLeg } from './call-leg.ts';
import { sentTransport } from './sent-transport.ts';

/** Who stands at the end of a leg, as far as it is known before the peer has said anything. */
export function ladderEndOf(leg: CallLeg, sinceMs: number): LadderEnd {
  const { side, transport, remote, agent, sipInterface } = leg;
  const ports = sipInterface.sipPorts.filter((port) => port.transport === transport);
  const family = familyOf(remote);
  const own = ports.find((port) => addressFamily(port.address) === family) ?? ports[0];
  const { address, port } = own ?? sipInterface.sipPorts[0] ?? { address: '', port: 0 };
  return {
    leg: side,
    sinceMs,
    name: agent?.name ?? remote,
    transport,
    local: formatHostPort(address, port),
    remote,
  };
}

/** Says who stands at the end of `leg` from now on. */
export function placeLeg(
  { ladder, nowMs }: Pick<CallContext, 'ladder' | 'nowMs'>,
  callId: string,
  leg: CallLeg,
): void {
  ladder.place(callId, ladderEndOf(leg, nowMs()));
}

/** Enters a SIP message of a leg, and what it shows about the place of the peer. */
export function recordMessage(
  { ladder, nowMs }: Pick<CallContext, 'ladder' | 'nowMs'>,
  { callId, leg }: { readonly callId: string; readonly leg: Side },
  [direction, text, source]: Parameters<SipTrace>,
): void {
  const atMs = nowMs();
  const end = ladder.endOf(callId, leg);
  if (source === 'nobody') {
    const summary = `no answer from ${end?.name ?? leg}: ${text}`;
    ladder.record(callId, { atMs, kind: 'decision', leg, summary });
    return;
  }
  if (source === 'engine') {
    const summary = `${text} (by the SIP engine)`;
    ladder.record(callId, { atMs, kind: 'sip', leg, direction, summary });
    return;
  }
  // The row may outlive the text, and a part of a text keeps all of it.
  const summary = ownText(text.slice(0, text.indexOf('\r\n')));
  const transport = sentTransport(direction, text) ?? source?.protocol;
  const other = transport === undefined || transport === end?.transport ? {} : { transport };
  const row = { atMs, kind: 'sip', leg, direction, summary, text, ...other } as const;
  const remote = source && formatHostPort(source.address, source.port);
  if (remote === undefined || remote === end?.remote) {
    ladder.record(callId, row);
    return;
  }
  // The name of a host says less than the address that answers in its place.
  if (end !== undefined && !isAddress(end.remote)) {
    ladder.place(callId, { ...end, sinceMs: atMs, remote });
    ladder.record(callId, row);
  } else ladder.record(callId, { ...row, remote });
}

function isAddress(hostPort: string): boolean {
  return familyOf(hostPort) !== undefined;
}

/** `undefined` for a host name. */
function familyOf(hostPort: string): ReturnType<typeof addressFamily> {
  return addressFamily(parseHostPort(hostPort).host.replaceAll(/[[\]]/g, ''));
}
