/**
 * One transfer that is carried out here: the other party of the referrer gets a new call to the target.
 *
 *   referrer (A)        SBC                party (B)           target (C)
 *     | REFER            |                     |                   |
 *     |----------------->|                     |                   |
 *     |<-- 202, NOTIFY --| INVITE              |                   |
 *     |   (100 Trying)   |---------------------------------------->|
 *     |<-- NOTIFY 180 ---|<------------------------------ 180, 200 |
 *     |                  | re-INVITE           |                   |
 *     |                  |-------------------->|                   |
 *     |<-- NOTIFY 200 ---|<--------------- 200 |                   |
 *     |<-- BYE ----------|                     |                   |
 *
 * Until B has accepted nothing changes between A and B, and when it comes to nothing A is told and all goes on. A may hang
 * up at any time. Attended: the REFER names the call that A has with C, which gets a re-INVITE in place of an INVITE.
 */
import type { DialogHandler } from '../../sip/dialog.ts';
import type { SipFragment } from '../../wire/refer.ts';
import { phraseOf } from '../../wire/sip-phrases.ts';
import { getHeader, type SipHeader, type SipMessage } from '../../wire/sip-message.ts';
import { parseCSeq } from '../../wire/sip-headers.ts';
import { otherSide } from '../../wire/side.ts';
import type { CallerInvite, StandingLegs } from '../call-plan.ts';
import type { CallLeg } from '../call-leg.ts';
import type { EndCause } from '../end-cause.ts';
import { maxForwardsOf } from '../headers/header-policy.ts';
import { ReferNotices } from './refer-notices.ts';
import { invitesStanding } from './standing-callee.ts';
import { StandingInvite } from './standing-invite.ts';
import { StandingLeg } from './standing-leg.ts';
import { offerAnew } from './transfer-offer.ts';
import type { LendingCall, TransferRequest } from './transfer-host.ts';

/** A call that begins with a leg that stands. */
export interface PlacedCall {
  readonly invite: CallerInvite;
  readonly caller: CallLeg;
  /** The callee, if it stands as well. */
  readonly callee: CallLeg | undefined;
  readonly standing: StandingLegs;
}

export interface TransferOptions {
  readonly request: TransferRequest;
  /** Begins a call, or rejects its INVITE. */
  readonly place: (call: PlacedCall) => LendingCall | undefined;
  readonly onBug: (error: unknown) => void;
}

const TRANSFERRED: EndCause = { name: 'transferred', by: 'sbc' };

/** Answers the REFER and carries it out. */
export function startTransfer({ request: transfer, place, onBug }: TransferOptions): void {
  const { call, referrer, dialog, request, replaced } = transfer;
  const side = otherSide(referrer);
  let invite: StandingInvite | undefined;
  const party = StandingLeg.borrow({ call, side }, () => invite?.cancel());
  const { description } = party ?? {};
  if (party === undefined || description === undefined) {
    party?.giveBack();
    dialog.respond(request, 491);
    return;
  }
  const far = replaced && { call: replaced.call, side: otherSide(replaced.side) };
  const target = far && StandingLeg.borrow(far, () => undefined);
  if (far !== undefined && target === undefined) {
    party.giveBack();
    dialog.respond(request, 491);
    return;
  }
  const notices = accept(transfer);
  let placed: LendingCall | undefined;
  invite = new StandingInvite(party, inviteFor(party, transfer, offerAnew(description)), {
    call: () => placed,
    progressed: (fragment) => notices.tell(fragment),
    joined: (handler: DialogHandler) => {
      notices.conclude({ status: 200, reason: phraseOf(200) });
      party.moveTo(handler, { ...TRANSFERRED, by: referrer });
    },
    failed: (fragment: SipFragment) => {
      notices.conclude(fragment);
      party.giveBack();
      target?.giveBack();
    },
    onBug,
  });
  notices.tell({ status: 100, reason: phraseOf(100) });
  const { leg } = party;
  placed = place({
    invite,
    caller: leg.movedTo('caller'),
    callee: target?.leg.movedTo('callee'),
    standing: {
      origin:
        replaced === undefined
          ? { type: 'blind', from: [call.id] }
          : { type: 'attended', from: [call.id, replaced.call.id] },
      sides: { caller: party.place, ...(target === undefined ? {} : { callee: target.place }) },
      inviteCallee: target && invitesStanding(target, { ...TRANSFERRED, by: referrer }, onBug),
    },
  });
}

/** 202, with `Refer-Sub: false` for who wants to hear no more (RFC 4488 §4). */
function accept({ dialog, request, isNamed }: TransferRequest): ReferNotices {
  const { message } = request;
  const isWanted = !/^\s*false\s*(?:;|$)/i.test(getHeader(message, 'Refer-Sub') ?? '');
  dialog.respond(request, 202, isWanted ? {} : { headers: { 'Refer-Sub': 'false' } });
  const id = isNamed ? String(parseCSeq(getHeader(message, 'CSeq') ?? '').number) : undefined;
  return new ReferNotices(dialog, id, isWanted);
}

/** The INVITE that the party would have sent by itself. */
function inviteFor(
  party: StandingLeg,
  { request, target, call, referrer }: TransferRequest,
  offer: string,
): StandingInvite['message'] {
  const { leg, dialog } = party;
  const { invite } = leg;
  const { identity } = dialog;
  // Who was called is known by the number that was dialled.
  const isCaller = identity.role === 'uas';
  const from = (isCaller ? invite?.from : invite?.to) ?? '';
  const asserted = isCaller ? (invite?.assertedIdentity ?? '') : '';
  const trust = call.session?.legs[referrer].settings.trust.value;
  const referredBy = trust === 'trusted' ? (getHeader(request.message, 'Referred-By') ?? '') : '';
  const headers: SipHeader[] = [
    { name: 'From', value: tagged(from, identity.remoteTag) },
    { name: 'To', value: `<${target}>` },
    { name: 'Call-ID', value: identity.callId },
    { name: 'CSeq', value: '1 INVITE' },
    { name: 'Max-Forwards', value: String(maxForwardsOf(request.message)) },
    { name: 'P-Asserted-Identity', value: asserted },
    { name: 'Privacy', value: isCaller ? (invite?.privacy ?? '') : '' },
    { name: 'Referred-By', value: referredBy },
    { name: 'Allow-Events', value: party.hasKpml ? 'kpml' : '' },
    { name: 'Content-Type', value: 'application/sdp' },
  ];
  return {
    type: 'request',
    method: 'INVITE',
    uri: target,
    headers: headers.filter(({ value }) => value !== ''),
    body: Buffer.from(offer),
  } satisfies SipMessage;
}

function tagged(address: string, tag: string): string {
  const untagged = address.replace(/;\s*tag=[^;>]*/i, '');
  return `${untagged};tag=${tag}`;
}
