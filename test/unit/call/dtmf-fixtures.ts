/** A call's digits between two fake dialogs, on virtual time. */

import { vi } from 'vitest';
import { DtmfInterworking } from '../../../src/call/digits/dtmf-interworking.ts';
import { SubscriptionBudget } from '../../../src/call/digits/subscription-budget.ts';
import { LEG_DEFAULTS, type LegSettings, type Setting } from '../../../src/config/effective.ts';
import type {
  DirectionPlan,
  EarlySubscribe,
  InterworkingPlan,
  Translator,
} from '../../../src/dtmf/interworking-plan.ts';
import type { PlayedDigit } from '../../../src/media/media-engine.ts';
import { DigitLedger, type DigitOutcome } from '../../../src/observe/digit-ledger.ts';
import { LadderRecorder } from '../../../src/observe/ladder.ts';
import { Metrics } from '../../../src/observe/metrics.ts';
import { SipDialog } from '../../../src/sip/dialog.ts';
import { OutgoingSubscription } from '../../../src/sip/outgoing-subscription.ts';
import { SubscriptionTable } from '../../../src/sip/subscription-table.ts';
import { otherSide, SIDES, type Side } from '../../../src/wire/side.ts';
import {
  FakeReceivedRequest,
  FakeSipConnection,
  type SentFake,
} from '../../support/fake-sip-connection.ts';

export const PATTERN =
  '<kpml-request version="1.0"><pattern persist="persist">' +
  '<regex>[x*#ABCD]</regex></pattern></kpml-request>';

export type LegChanges = {
  readonly [Key in keyof LegSettings]?: LegSettings[Key] extends Setting<infer T> ? T : never;
};

function directionOf(translator: Translator | 'hairpin'): DirectionPlan {
  return {
    translator: translator === 'hairpin' ? 'rtp-relay' : translator,
    alsoNotify: translator === 'hairpin',
    row: 'row',
    rule: 'rule',
    reason: 'test',
  };
}

/** Both directions of a plan; the caller's first. */
export function planOf(
  callerToCallee: Translator | 'hairpin',
  calleeToCaller: Translator | 'hairpin',
): InterworkingPlan {
  const translators = { caller: callerToCallee, callee: calleeToCaller };
  const hears = (side: Side): boolean =>
    ['2833-to-kpml', 'info-to-kpml', 'hairpin'].includes(translators[otherSide(side)]);
  return {
    callerToCallee: directionOf(callerToCallee),
    calleeToCaller: directionOf(calleeToCaller),
    subscribeTo: SIDES.filter((side) =>
      ['kpml-to-2833', 'kpml-to-info'].includes(translators[side]),
    ),
    acceptSubscribeFrom: SIDES.filter(hears),
    relaySubscribeFrom: SIDES.filter((side) => translators[otherSide(side)] === 'kpml-relay'),
  };
}

export class DigitScene {
  readonly ledger: DigitLedger;
  readonly outcomes: DigitOutcome[] = [];
  readonly played: (PlayedDigit & { readonly to: Side })[] = [];
  readonly bugs: unknown[] = [];
  readonly connections = { caller: new FakeSipConnection(), callee: new FakeSipConnection() };
  /** Where dialogs of our subscriptions alone are. */
  readonly separate = { caller: new FakeSipConnection(), callee: new FakeSipConnection() };
  readonly table = new SubscriptionTable();
  readonly budget = new SubscriptionBudget(3);
  readonly dialogs: Record<Side, SipDialog>;
  readonly legs: Record<Side, { dialog: SipDialog | undefined; settings: LegSettings }>;
  readonly dtmf: DtmfInterworking;
  early: EarlySubscribe = 'refuse';
  hasStream = true;
  /** Times from the answer to the first subscription. */
  readonly gapsMs: number[] = [];
  #cseq = 0;

  constructor(changes: LegChanges = {}, keepsSubscriptions = false) {
    vi.useFakeTimers();
    this.ledger = new DigitLedger({ showDigits: true });
    this.dialogs = { caller: this.#openDialog('caller'), callee: this.#openDialog('callee') };
    const settings = settingsOf(changes);
    this.legs = {
      caller: { dialog: this.dialogs.caller, settings },
      callee: { dialog: this.dialogs.callee, settings },
    };
    const metrics = new Metrics();
    metrics.digit = (outcome): void => {
      this.outcomes.push(outcome);
    };
    metrics.kpmlGap = (gapMs): void => {
      this.gapsMs.push(gapMs);
    };
    this.dtmf = new DtmfInterworking({
      callId: 'call',
      legs: this.legs,
      media: {
        playDigit: (to, digit) => {
          if (this.hasStream) this.played.push({ to, ...digit });
          return this.hasStream;
        },
      },
      context: {
        ledger: this.ledger,
        ladder: new LadderRecorder(),
        metrics,
        nowMs: () => Date.now(),
      },
      earlySubscribe: () => this.early,
      onBug: (error) => this.bugs.push(error),
      openSubscription: (side, _dialog, handler) =>
        new OutgoingSubscription({
          connection: this.separate[side],
          table: this.table,
          target: () => ({ uri: `sip:${side}@peer` }),
          handler,
        }),
      budget: this.budget,
      keepsSubscriptions,
    });
  }

  /** Puts a plan in force in a call whose two dialogs are acknowledged. */
  start(plan: InterworkingPlan): void {
    this.dtmf.applyPlan(plan);
    this.dtmf.legReady('callee');
    this.dtmf.legReady('caller');
  }

  /** Requests sent to `side`, newest last. */
  sentTo(side: Side, method: string): SentFake[] {
    return this.connections[side].sent.filter((sent) => sent.options.method === method);
  }

  /** Answers the newest request to `side`. */
  async answer(side: Side, status: number, headers: Record<string, string> = {}): Promise<void> {
    this.connections[side].last.answer(status, headers);
    await this.flush();
  }

  /** Lets promises settle without moving time. */
  async flush(): Promise<void> {
    await vi.advanceTimersByTimeAsync(0);
  }

  subscribe(side: Side, headers: Record<string, string> = {}, body = PATTERN): FakeReceivedRequest {
    const request = this.#request('SUBSCRIBE', body, {
      Event: 'kpml',
      Expires: '600',
      'Content-Type': 'application/kpml-request+xml',
      ...headers,
    });
    this.dtmf.receiveSubscribe(side, this.dialogs[side], request);
    return request;
  }

  notify(side: Side, digits: string | undefined, headers: Record<string, string> = {}): number {
    const body =
      digits === undefined
        ? ''
        : `<kpml-response version="1.0" code="200" text="OK" digits="${digits}"/>`;
    const request = this.#request('NOTIFY', body, {
      Event: 'kpml',
      'Subscription-State': 'active;expires=600',
      'Content-Type': 'application/kpml-response+xml',
      ...headers,
    });
    this.dtmf.receiveNotify(side, this.dialogs[side], request, true);
    return request.answers[0]?.status ?? 0;
  }

  /** Gives the status of the answer, or `relay`. */
  info(side: Side, body: string, contentType = 'application/dtmf-relay'): number | 'relay' {
    const request = this.#request('INFO', body, { 'Content-Type': contentType });
    const verdict = this.dtmf.receiveInfo(side, this.dialogs[side], request);
    return verdict.type === 'relay' ? 'relay' : (request.answers[0]?.status ?? 0);
  }

  press(side: Side, digit: '1' | '2' | '3', rtpTimestamp = Number(digit) * 1000): void {
    const press = { side, digit, eventCode: Number(digit), ssrc: 7, rtpTimestamp };
    this.dtmf.pressed({ ...press, atMs: Date.now() });
    this.dtmf.released({ ...press, atMs: Date.now() + 100, durationMs: 100 });
  }

  /** One line per press: `1 caller-to-callee notify 200`. */
  get fates(): string[] {
    return this.ledger.list({}).map((record) => {
      const outputs = record.outputs.map((output) =>
        'status' in output ? `${output.type} ${output.status}` : output.type,
      );
      const dropped = record.dropped === undefined ? [] : [`!${record.dropped}`];
      return [record.digit, record.direction, ...outputs, ...dropped].join(' ');
    });
  }

  #request(method: string, body: string, headers: Record<string, string>): FakeReceivedRequest {
    this.#cseq += 1;
    const kept = body === '' ? withoutContentType(headers) : headers;
    return new FakeReceivedRequest(method, { CSeq: `${this.#cseq} ${method}`, ...kept }, { body });
  }

  #openDialog(side: Side): SipDialog {
    const identity = {
      role: side === 'caller' ? ('uas' as const) : ('uac' as const),
      dialogId: side,
      callId: `${side}@sbc`,
      localTag: `our-${side}`,
      remoteTag: `their-${side}`,
      localContact: '<sip:us@sbc>',
    };
    const handler = {
      onRequest: () => undefined,
      onAck: () => undefined,
      onEnd: () => undefined,
      onTrace: () => undefined,
    };
    const dialog = new SipDialog(identity, this.connections[side], handler, () => undefined);
    if (side === 'caller') dialog.receive(new FakeReceivedRequest('ACK'));
    return dialog;
  }
}

function withoutContentType(headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => name !== 'Content-Type'));
}

function wrap<T>(value: T): Setting<T> {
  return { value, origin: 'default' };
}

function settingsOf(changes: LegChanges): LegSettings {
  const values = { ...LEG_DEFAULTS, ...changes };
  return {
    kpmlInterworking: wrap(values.kpmlInterworking),
    rfc2833Mode: wrap(values.rfc2833Mode),
    rfc2833Payload: wrap(values.rfc2833Payload),
    kpmlOnHairpin: wrap(values.kpmlOnHairpin),
    sipInfo: wrap(values.sipInfo),
    kpmlSubscription: wrap(values.kpmlSubscription),
    mediaSource: wrap(values.mediaSource),
    dtmfDurationMs: wrap(values.dtmfDurationMs),
    dtmfGapMs: wrap(values.dtmfGapMs),
    dtmfPacketIntervalMs: wrap(values.dtmfPacketIntervalMs),
    dtmfDrainOnByeMs: wrap(values.dtmfDrainOnByeMs),
    dtmfRepairMovedEnd: wrap(values.dtmfRepairMovedEnd),
    dtmfMergeWindowMs: wrap(values.dtmfMergeWindowMs),
    kpmlSubscribeExpiresSeconds: wrap(values.kpmlSubscribeExpiresSeconds),
    kpmlEventParameters: wrap(values.kpmlEventParameters),
    kpmlFlash: wrap(values.kpmlFlash),
    kpmlBodylessRefresh: wrap(values.kpmlBodylessRefresh),
    kpmlDefaultPattern: wrap(values.kpmlDefaultPattern),
    kpmlTolerateMissingState: wrap(values.kpmlTolerateMissingState),
    addSdpInvite: wrap(values.addSdpInvite),
    followRedirects: wrap(values.followRedirects),
    inDialogInfo: wrap(values.inDialogInfo),
    inDialogMessage: wrap(values.inDialogMessage),
    refer: wrap(values.refer),
    replaces: wrap(values.replaces),
    trust: wrap(values.trust),
    sessionTimer: wrap(values.sessionTimer),
    sessionExpiresSeconds: wrap(values.sessionExpiresSeconds),
    minSeSeconds: wrap(values.minSeSeconds),
    sessionRefresher: wrap(values.sessionRefresher),
    dialogPingSeconds: wrap(values.dialogPingSeconds),
  };
}
