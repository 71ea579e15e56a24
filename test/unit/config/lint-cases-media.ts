/** Cases of the rules about the media engine. */
import {
  ACCESS,
  ACCESS_MEDIA,
  adding,
  AGENT,
  behind,
  CORE_MEDIA,
  type LintCases,
} from './lint-case.ts';
import { SAMPLE } from './sample.ts';

function nodes(...list: readonly string[]): string {
  return `media: { engine: rtpengine, rtpengine: [ ${list.map((keys) => `{ ${keys} }`).join(', ')} ] }`;
}

const ADVERTISED: readonly [string, string] = [
  ACCESS_MEDIA,
  'address: 127.0.0.1, advertised: 203.0.113.5, port-min: 20000',
];
const LEARNS = 'media-source: learn-once';
const KERNEL = 'media: { io: kernel }';
const NEAR = 'host: 127.0.0.1';
const FAR = 'host: 192.0.2.30';

export const MEDIA_CASES: LintCases = {
  'kernel-without-address': {
    finds: [
      [3, behind(KERNEL, [CORE_MEDIA, 'address: 192.0.2.1, port-min: 21000'])],
      [
        3,
        behind(
          KERNEL,
          [CORE_MEDIA, 'address: 192.0.2.1, port-min: 21000'],
          [ACCESS_MEDIA, 'address: "2001:db8::1", port-min: 20000'],
        ),
      ],
    ],
    passes: [
      behind(
        KERNEL,
        [CORE_MEDIA, 'address: 192.0.2.1, port-min: 21000'],
        [ACCESS_MEDIA, 'address: 198.51.100.1, port-min: 20000'],
      ),
      behind('media: { io: auto }'),
      behind(nodes(NEAR).replace('engine:', 'io: kernel, engine:')),
    ],
  },
  'kernel-with-short-timeout': {
    finds: [[1, behind(KERNEL.replace(' }', ', inactivity-timeout: 4s }'))]],
    passes: [
      behind(KERNEL),
      behind(KERNEL.replace(' }', ', inactivity-timeout: 5s }')),
      behind('media: { io: auto, inactivity-timeout: 4s }'),
      behind(nodes(NEAR).replace('engine:', 'io: kernel, inactivity-timeout: 4s, engine:')),
    ],
  },
  'relay-key-with-rtpengine': {
    finds: [
      [1, behind(nodes(NEAR).replace('engine:', 'io: kernel, engine:'))],
      [1, behind(nodes(NEAR).replace('engine:', 'workers: 2, engine:'))],
      [3, behind(nodes(NEAR), ADVERTISED)],
    ],
    passes: [behind(nodes(NEAR)), behind('media: { io: ffi, workers: 2 }', ADVERTISED)],
  },
  'rtpengine-twice': {
    finds: [[1, behind(nodes(FAR, NEAR, `${FAR}, port: 2223`))]],
    passes: [behind(nodes(FAR, NEAR, `${FAR}, port: 2224`))],
  },
  'dtmf-listen-open': {
    finds: [[1, behind(nodes(`${NEAR}, dtmf-listen: "0.0.0.0:22224"`))]],
    passes: [
      behind(nodes(`${NEAR}, dtmf-listen: "127.0.0.1:22224"`)),
      behind(nodes(`${FAR}, dtmf-listen: "192.0.2.1:22224"`)),
      SAMPLE,
    ],
  },
  'relay-parameter-with-rtpengine': {
    finds: [
      [6, behind(nodes(NEAR), [ACCESS, `${ACCESS}, dtmf-merge-window-ms: 100`])],
      [9, behind(nodes(NEAR), [AGENT, `${AGENT}, dtmf-duration-ms: 80`])],
    ],
    passes: [
      behind(nodes(NEAR), [ACCESS, `${ACCESS}, dtmf-duration-ms: 100, dtmf-gap-ms: 100`]),
      adding(ACCESS, 'dtmf-merge-window-ms: 100'),
    ],
  },
  'rtpengine-learns': {
    finds: [
      [6, behind(nodes(NEAR), [ACCESS, `${ACCESS}, ${LEARNS}`])],
      [9, behind(nodes(NEAR), [AGENT, `${AGENT}, ${LEARNS}`])],
    ],
    passes: [
      adding(ACCESS, LEARNS),
      behind(nodes(NEAR), [ACCESS, `${ACCESS}, media-source: sdp`]),
      behind(nodes(NEAR)),
    ],
  },
  'dtmf-listen-unreached': {
    finds: [[1, behind(nodes(`${FAR}, dtmf-listen: "127.0.0.1:22224"`))]],
    passes: [
      behind(nodes(`${NEAR}, dtmf-listen: "127.0.0.1:22224"`)),
      behind(nodes(`${FAR}, dtmf-listen: "192.0.2.1:22224"`)),
      behind(nodes(FAR)),
    ],
  },
};
