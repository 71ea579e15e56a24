/** Cases of the rules about key presses. */
import { ACCESS, adding, AGENT, behind, CORE, type LintCases } from './lint-case.ts';
import { edited, SAMPLE } from './sample.ts';

const KPML = 'kpml-interworking: enabled';
const KPML_ACCESS: readonly [string, string] = [ACCESS, `${ACCESS}, ${KPML}`];
const INFO_ACCESS: readonly [string, string] = [ACCESS, `${ACCESS}, sip-info: send`];
const PREFERRED_CORE: readonly [string, string] = [CORE, `${CORE}, rfc2833-mode: preferred`];
const DRACHTIO = 'sip: { engine: drachtio, drachtio: { secret: x } }';

function rtpengine(keys: string): string {
  return `media: { engine: rtpengine, rtpengine: [ { host: 192.0.2.30${keys} } ] }`;
}

export const DIGIT_CASES: LintCases = {
  'kpml-without-preferred': {
    finds: [
      [5, adding(ACCESS, KPML)],
      [8, adding(AGENT, KPML)],
    ],
    passes: [
      edited(KPML_ACCESS, PREFERRED_CORE),
      edited(KPML_ACCESS, [AGENT, `${AGENT}, rfc2833-mode: preferred`]),
      edited(KPML_ACCESS, [AGENT, `${AGENT}, ${KPML}`]),
      edited(KPML_ACCESS, [AGENT, `${AGENT}, sip-info: send`]),
    ],
  },
  'dual-with-kpml': {
    finds: [
      [8, edited(KPML_ACCESS, [AGENT, `${AGENT}, ${KPML}, rfc2833-mode: dual`])],
      [8, edited(KPML_ACCESS, [AGENT, `${AGENT}, rfc2833-mode: dual`])],
    ],
    passes: [adding(AGENT, 'rfc2833-mode: dual'), edited(KPML_ACCESS, PREFERRED_CORE)],
  },
  'hairpin-without-kpml': {
    finds: [[5, adding(ACCESS, 'kpmlRFC2833-iwf-on-hairpin: enabled')]],
    passes: [
      adding(ACCESS, `${KPML}, kpmlRFC2833-iwf-on-hairpin: enabled`),
      adding(ACCESS, 'kpmlRFC2833-iwf-on-hairpin: disabled'),
    ],
  },
  'kpml-parameter-without-kpml': {
    finds: [
      [5, adding(ACCESS, 'kpml-flash: enabled')],
      [8, edited(KPML_ACCESS, [AGENT, `${AGENT}, kpml-subscribe-expires: 600`])],
    ],
    passes: [
      adding(ACCESS, `${KPML}, kpml-flash: enabled`),
      // On the interface, for an agent that has KPML.
      edited([CORE, `${CORE}, kpml-flash: enabled`], [AGENT, `${AGENT}, ${KPML}`]),
    ],
  },
  'payload-without-preferred': {
    finds: [[8, adding(AGENT, 'rfc2833-payload: 97')]],
    passes: [
      adding(AGENT, 'rfc2833-payload: 97, rfc2833-mode: preferred'),
      adding(AGENT, 'rfc2833-payload: 0'),
      edited([CORE, `${CORE}, rfc2833-payload: 97`], [AGENT, `${AGENT}, rfc2833-mode: dual`]),
    ],
  },
  'tone-below-interval': {
    finds: [
      [5, adding(ACCESS, 'dtmf-duration-ms: 40, dtmf-packet-interval-ms: 50')],
      [
        8,
        edited(
          [CORE, `${CORE}, dtmf-duration-ms: 40`],
          [AGENT, `${AGENT}, dtmf-packet-interval-ms: 50`],
        ),
      ],
    ],
    passes: [
      adding(ACCESS, 'dtmf-duration-ms: 40, dtmf-packet-interval-ms: 40'),
      adding(ACCESS, 'dtmf-duration-ms: 40'),
    ],
  },
  'rtpengine-without-digits': {
    finds: [
      [1, behind(rtpengine(''), KPML_ACCESS, PREFERRED_CORE)],
      [1, behind(rtpengine(''), INFO_ACCESS, PREFERRED_CORE)],
    ],
    passes: [
      behind(rtpengine(', dtmf-listen: "127.0.0.1:22224"'), KPML_ACCESS, PREFERRED_CORE),
      behind(rtpengine('')),
    ],
  },
  'kernel-with-kpml': {
    finds: [
      [1, behind('media: { io: kernel }', KPML_ACCESS, PREFERRED_CORE)],
      [1, behind('media: { io: kernel }', INFO_ACCESS, PREFERRED_CORE)],
    ],
    passes: [
      behind('media: { io: kernel }'),
      behind('media: { io: auto }', KPML_ACCESS, PREFERRED_CORE),
    ],
  },
  'drachtio-in-dialog': {
    finds: [[6, behind(DRACHTIO, KPML_ACCESS, PREFERRED_CORE)]],
    passes: [
      behind(DRACHTIO),
      behind(DRACHTIO, [ACCESS, `${ACCESS}, ${KPML}, kpml-subscription: separate`], PREFERRED_CORE),
    ],
  },
  'sip-info-without-sink': {
    finds: [
      [5, adding(ACCESS, 'sip-info: receive')],
      [8, adding(AGENT, 'sip-info: send')],
    ],
    passes: [
      edited([ACCESS, `${ACCESS}, sip-info: send`], PREFERRED_CORE),
      edited([ACCESS, `${ACCESS}, sip-info: send`], [AGENT, `${AGENT}, sip-info: receive`]),
    ],
  },
  'dual-with-sip-info': {
    finds: [[8, adding(AGENT, 'sip-info: send, rfc2833-mode: dual')]],
    passes: [
      adding(AGENT, 'sip-info: receive, rfc2833-mode: dual'),
      adding(AGENT, 'rfc2833-mode: dual'),
    ],
  },
  'sip-info-behind-events': {
    finds: [[8, adding(AGENT, 'sip-info: receive, rfc2833-mode: preferred')]],
    passes: [adding(AGENT, 'sip-info: receive'), SAMPLE],
  },
};
