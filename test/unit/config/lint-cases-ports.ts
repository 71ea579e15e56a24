/** Cases of the rules about media ports. */
import { adding, AGENT, behind, CORE, type LintCases, TO_CARRIER, TO_URI } from './lint-case.ts';
import { edited, SAMPLE } from './sample.ts';

/** The agent with a limit, and policies that lead calls of its realm back into the realm. */
function hairpins(maxSessions: number): string {
  return edited(
    [AGENT, `${AGENT}, constraints: { max-sessions: ${maxSessions} }`],
    [TO_CARRIER, '{ from-realm: access, to: "*", next-hop: reject }'],
    [TO_URI, '{ from-realm: core, next-hop: request-uri, to-realm: core }'],
  );
}

/** rtpengine has ports of its own. */
const NODE = 'media: { engine: rtpengine, port-quarantine: 0, rtpengine: [ { host: 127.0.0.1 } ] }';

export const PORT_CASES: LintCases = {
  'ports-too-few': {
    finds: [
      [
        2,
        edited(
          [AGENT, `${AGENT}, constraints: { max-sessions: 501 }`],
          ['port-max: 21999', 'port-max: 22003'],
        ),
      ],
      // Both legs of each call are in the realm.
      [3, hairpins(251)],
      [3, adding(CORE, 'constraints: { max-sessions: 501 }')],
    ],
    passes: [
      adding(AGENT, 'constraints: { max-sessions: 500 }'),
      behind(NODE, [AGENT, `${AGENT}, constraints: { max-sessions: 900 }`]),
      hairpins(250),
      edited(
        [AGENT, `${AGENT}, constraints: { max-sessions: 900 }`],
        [CORE, `${CORE}, constraints: { max-sessions: 500 }`],
        ['port-max: 20999', 'port-max: 20999'],
        ['from-realm: access, to: "*", next-hop: carrier', 'from-realm: access, next-hop: reject'],
      ),
    ],
  },
  'ports-at-rest': {
    finds: [[3, adding(AGENT, 'constraints: { max-sessions: 300, max-sustain-rate: 10 }')]],
    passes: [
      adding(AGENT, 'constraints: { max-sessions: 100, max-sustain-rate: 10 }'),
      adding(AGENT, 'constraints: { max-sessions: 300 }'),
    ],
  },
  'port-without-partner': {
    finds: [
      [2, edited(['port-min: 20000', 'port-min: 20001'])],
      [3, edited(['port-max: 21999', 'port-max: 21998'])],
    ],
    passes: [SAMPLE],
  },
  'local-port-range': {
    finds: [[3, edited(['port-max: 21999', 'port-max: 32769'])]],
    passes: [
      edited(['port-max: 21999', 'port-max: 32767']),
      behind(NODE, ['port-max: 21999', 'port-max: 32769']),
    ],
  },
  'no-port-quarantine': {
    finds: [[1, behind('media: { port-quarantine: 0 }')]],
    passes: [behind('media: { port-quarantine: 5s }'), behind(NODE)],
  },
  'hold-below-inactivity': {
    finds: [[1, behind('media: { hold-timeout: 30s }')]],
    passes: [behind('media: { hold-timeout: 60s }')],
  },
};
