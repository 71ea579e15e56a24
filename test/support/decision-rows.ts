/**
 * The rows of the decision table as both ends see them, for whoever plays them: over sockets or simulated.
 */
import type { LineEnd } from './digit-lines.ts';
import { readSdp } from './sdp-text.ts';
import type { Header, SipText } from './sip-text.ts';
import { headerTokens } from './sip-text.ts';

export interface DecisionRow {
  readonly row: string;
  /** `on T kpml te`: kpml-interworking, rfc2833-mode, hairpin flag (H), then what the end lists itself. */
  readonly caller: string;
  readonly callee: string;
  readonly isDelayed?: boolean;
  /** Added to the INVITE of the caller. */
  readonly headers?: readonly Header[];
  /** Telephone-event and kpml in INVITE to the callee, then kpml in the 180 and both in the 200 to the caller. */
  readonly toCallee: string;
  readonly toCaller: string;
  /** Ends that the SBC subscribes to. */
  readonly subscribed: string;
  /** What the SUBSCRIBE of the caller gets, then that of the callee. */
  readonly asked: string;
  /** Translator of the caller's digits, then of the callee's, each with the row named for it. */
  readonly plan: string;
  /** The caller's key 1 and the callee's key 2 in the ledger, then what each end hears. */
  readonly keys: string;
  readonly heard: string;
}

/** What comes of a row. */
export type RowOutcome = Omit<DecisionRow, 'caller' | 'callee' | 'isDelayed' | 'headers'>;

const SBC = '200 of the SBC';
const OTHER = '200 of the other end';

/** Compact, misspelt, in capitals, on several lines, with blanks. */
const SPELLINGS: readonly Header[] = [
  ['u', 'presence ,\tKPML'],
  ['Allow-Event', 'kpml'],
  ['Allow-Events', 'kpml , dialog'],
];

// oxfmt-ignore
export const DECISION_ROWS: readonly DecisionRow[] = [
  { row: 'K1', caller: 'on T kpml', callee: 'off P te', toCallee: 'te -', toCaller: 'kpml, - kpml', subscribed: 'caller', asked: `${SBC}, 489`,
    plan: 'kpml-to-2833 K1, 2833-to-kpml X2', keys: '1 notify -> rtp, 2 rtp -> notify 200', heard: 'caller notify 2, callee rtp 1' },
  { row: 'K1 in other spellings (A21)', caller: 'on T', callee: 'off P te', headers: SPELLINGS, toCallee: 'te presence,dialog', toCaller: 'kpml, - kpml', subscribed: 'caller', asked: `${SBC}, 489`,
    plan: 'kpml-to-2833 K1, 2833-to-kpml X2', keys: '1 notify -> rtp, 2 rtp -> notify 200', heard: 'caller notify 2, callee rtp 1' },
  { row: 'K2', caller: 'on T', callee: 'off P te', toCallee: 'te -', toCaller: 'kpml, - kpml', subscribed: 'caller', asked: `${SBC}, 489`,
    plan: 'kpml-to-2833 K2, 2833-to-kpml X2', keys: '1 notify -> rtp, 2 rtp -> notify 200', heard: 'caller notify 2, callee rtp 1' },
  { row: 'K3', caller: 'on T kpml', callee: 'off P', toCallee: 'te -', toCaller: 'kpml, - -', subscribed: '', asked: '489, 489',
    plan: 'none K3, none K3', keys: '', heard: '' },
  { row: 'K4', caller: 'on T kpml', callee: 'off T te', toCallee: '- -', toCaller: '-, - -', subscribed: '', asked: '489, 489',
    plan: 'none K4, none K4', keys: '', heard: '' },
  { row: 'K5', caller: 'on T kpml', callee: 'off D te', toCallee: '- -', toCaller: '-, - -', subscribed: '', asked: '489, 489',
    plan: 'none K5, none K5', keys: '', heard: '' },
  { row: 'K6', caller: 'off T kpml', callee: 'off P te', toCallee: 'te -', toCaller: '-, - -', subscribed: '', asked: '489, 489',
    plan: 'none K6, none K6', keys: '2 rtp -> !no-translator', heard: '' },
  { row: 'K7', caller: 'off T kpml', callee: 'on T kpml', toCallee: '- kpml', toCaller: '-, - -', subscribed: '', asked: `489, ${OTHER}`,
    plan: 'kpml-relay K7, none K7', keys: '1 notify -> notify 200', heard: 'callee notify 1' },
  { row: 'K8', caller: 'on T kpml', callee: 'on T kpml', toCallee: '- kpml', toCaller: 'kpml, - kpml', subscribed: '', asked: `${OTHER}, ${OTHER}`,
    plan: 'kpml-relay K8, kpml-relay K8', keys: '1 notify -> notify 200, 2 notify -> notify 200', heard: 'caller notify 2, callee notify 1' },
  { row: 'K9', caller: 'on T kpml', callee: 'on P te', toCallee: 'te kpml', toCaller: 'kpml, - kpml', subscribed: 'caller', asked: `${SBC}, 489`,
    plan: 'kpml-to-2833 K9, 2833-to-kpml X2', keys: '1 notify -> rtp, 2 rtp -> notify 200', heard: 'caller notify 2, callee rtp 1' },
  { row: 'K10', caller: 'on T kpml', callee: 'on P kpml', toCallee: 'te kpml', toCaller: 'kpml, - kpml', subscribed: '', asked: `${OTHER}, ${OTHER}`,
    plan: 'kpml-relay K10, kpml-relay K10', keys: '1 notify -> notify 200, 2 notify -> notify 200', heard: 'caller notify 2, callee notify 1' },
  { row: 'K11', caller: 'on T kpml te', callee: 'off T te', toCallee: 'te -', toCaller: '-, te -', subscribed: '', asked: '489, 489',
    plan: 'rtp-relay K11, rtp-relay K11', keys: '1 rtp -> relay, 2 rtp -> relay', heard: 'caller rtp 2, callee rtp 1' },
  { row: 'K12', caller: 'on P kpml te', callee: 'off T', toCallee: 'te -', toCaller: '-, te -', subscribed: '', asked: '489, 489',
    plan: 'none K12, none K12', keys: '1 rtp -> !no-translator', heard: '' },
  { row: 'K13', caller: 'on T kpml', callee: 'off P te', isDelayed: true, toCallee: 'none -', toCaller: '-, te kpml', subscribed: 'caller', asked: `${SBC}, 489`,
    plan: 'kpml-to-2833 K13, 2833-to-kpml X2', keys: '1 notify -> rtp, 2 rtp -> notify 200', heard: 'caller notify 2, callee rtp 1' },
  { row: 'K14', caller: 'on T kpml', callee: 'off T te', isDelayed: true, toCallee: 'none -', toCaller: '-, te -', subscribed: '', asked: '489, 489',
    plan: 'none K14, none K14', keys: '', heard: '' },
  { row: 'K14 where the caller takes telephone-event', caller: 'on T kpml te', callee: 'off T te', isDelayed: true, toCallee: 'none -', toCaller: '-, te -', subscribed: '', asked: '489, 489',
    plan: 'rtp-relay K14, rtp-relay K14', keys: '1 rtp -> relay, 2 rtp -> relay', heard: 'caller rtp 2, callee rtp 1' },
  { row: 'Q1', caller: 'off T te', callee: 'on T kpml', toCallee: 'te kpml', toCaller: '-, - -', subscribed: '', asked: '489, 489',
    plan: 'none Q1, none Q1', keys: '', heard: '' },
  { row: 'Q2', caller: 'off P te', callee: 'on T kpml', toCallee: 'te kpml', toCaller: '-, te -', subscribed: 'callee', asked: `489, ${SBC}`,
    plan: '2833-to-kpml Q2, kpml-to-2833 X1', keys: '1 rtp -> notify 200, 2 notify -> rtp', heard: 'caller rtp 2, callee notify 1' },
  { row: 'Q3', caller: 'off T te', callee: 'on P kpml', toCallee: 'te kpml', toCaller: '-, - -', subscribed: '', asked: '489, 489',
    plan: 'none Q3, none Q3', keys: '', heard: '' },
  { row: 'Q4', caller: 'off P te', callee: 'on P kpml', toCallee: 'te kpml', toCaller: '-, te -', subscribed: 'callee', asked: `489, ${SBC}`,
    plan: '2833-to-kpml Q4, kpml-to-2833 X1', keys: '1 rtp -> notify 200, 2 notify -> rtp', heard: 'caller rtp 2, callee notify 1' },
  { row: 'Q5', caller: 'off P te', callee: 'on T kpml te', toCallee: 'te kpml', toCaller: '-, te -', subscribed: '', asked: '489, 489',
    plan: 'rtp-relay Q5, rtp-relay Q5', keys: '1 rtp -> relay, 2 rtp -> relay', heard: 'caller rtp 2, callee rtp 1' },
  { row: 'Q6', caller: 'off P te', callee: 'on T H kpml te', toCallee: 'te kpml', toCaller: '-, te -', subscribed: '', asked: `489, ${SBC}`,
    plan: 'rtp-relay Q6, rtp-relay Q6', keys: '1 rtp -> relay, notify 200, 2 rtp -> relay', heard: 'caller rtp 2, callee rtp 1 notify 1' },
  { row: 'Q7', caller: 'off P te', callee: 'on T', toCallee: 'te kpml', toCaller: '-, te -', subscribed: 'callee', asked: `489, ${SBC}`,
    plan: '2833-to-kpml Q7, kpml-to-2833 X1', keys: '1 rtp -> notify 200, 2 notify -> rtp', heard: 'caller rtp 2, callee notify 1' },
  { row: 'Q8', caller: 'off D te', callee: 'on T kpml', toCallee: 'te -', toCaller: '-, - -', subscribed: '', asked: '489, 489',
    plan: 'none Q8, none Q8', keys: '', heard: '' },
  { row: 'Q9', caller: 'off P te', callee: 'off T', toCallee: 'te -', toCaller: '-, te -', subscribed: '', asked: '489, 489',
    plan: 'none Q9, none Q9', keys: '1 rtp -> !no-translator', heard: '' },
  { row: 'Q10', caller: 'off P', callee: 'on T kpml', toCallee: '- -', toCaller: '-, - -', subscribed: '', asked: '489, 489',
    plan: 'none Q10, none Q10', keys: '', heard: '' },
  { row: 'Q11', caller: 'off P kpml te', callee: 'on T kpml', toCallee: 'te kpml', toCaller: '-, te -', subscribed: 'callee', asked: `489, ${OTHER}`,
    plan: 'kpml-relay Q11, kpml-to-2833 X1', keys: '1 notify -> notify 200, 2 notify -> rtp', heard: 'caller rtp 2, callee notify 1' },
  { row: 'Q12', caller: 'off P kpml te', callee: 'on T H kpml', toCallee: 'te kpml', toCaller: '-, te -', subscribed: 'callee', asked: `489, ${SBC}`,
    plan: '2833-to-kpml Q12, kpml-to-2833 X1', keys: '1 rtp -> notify 200, 2 notify -> rtp', heard: 'caller rtp 2, callee notify 1' },
  { row: 'Q12 where the callee takes telephone-event', caller: 'off P kpml te', callee: 'on T H kpml te', toCallee: 'te kpml', toCaller: '-, te -', subscribed: '', asked: `489, ${SBC}`,
    plan: 'rtp-relay Q12, rtp-relay Q12', keys: '1 rtp -> relay, notify 200, 2 rtp -> relay', heard: 'caller rtp 2, callee rtp 1 notify 1' },
  { row: 'Q13', caller: 'off P te', callee: 'on T kpml', isDelayed: true, toCallee: 'none kpml', toCaller: '-, te -', subscribed: 'callee', asked: `489, ${SBC}`,
    plan: '2833-to-kpml Q13, kpml-to-2833 X1', keys: '1 rtp -> notify 200, 2 notify -> rtp', heard: 'caller rtp 2, callee notify 1' },
  { row: 'Q14', caller: 'off P', callee: 'on T kpml', isDelayed: true, toCallee: 'none kpml', toCaller: '-, te -', subscribed: '', asked: '489, 489',
    plan: 'none Q14, none Q14', keys: '', heard: '' },
];

const MODES: Readonly<Record<string, string>> = { T: 'transparent', P: 'preferred', D: 'dual' };

/** Telephone-event and kpml in a message, such as `te kpml` or `- -`; `none` for no SDP. */
export function announced(message: SipText): string {
  if (message.body === '') return `none ${kpmlIn(message)}`;
  const { eventPayloadType } = readSdp(message.body);
  return `${eventPayloadType === undefined ? '-' : 'te'} ${kpmlIn(message)}`;
}

/** The tokens of Allow-Events, in any spelling; `-` for none. */
export function kpmlIn(message: SipText): string {
  const tokens = [
    ...headerTokens(message, 'Allow-Events'),
    ...headerTokens(message, 'Allow-Event'),
  ];
  return tokens.join() || '-';
}

/** One end of a row: what its leg is configured to, and what it lists itself. */
export function endOf(text: string): LineEnd {
  const [interworking, mode = '', ...rest] = text.split(' ');
  return {
    leg: {
      'kpml-interworking': interworking === 'on' ? 'enabled' : 'disabled',
      'rfc2833-mode': MODES[mode] ?? mode,
      'kpmlRFC2833-iwf-on-hairpin': rest.includes('H') ? 'enabled' : 'disabled',
    },
    hasEvents: rest.includes('te'),
    hasKpml: rest.includes('kpml'),
  };
}
