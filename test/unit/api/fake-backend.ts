/** A backend with one call, whose answers a test may replace. */
import type {
  AgentView,
  ApiBackend,
  CallView,
  LegMediaView,
  LegView,
} from '../../../src/api/backend.ts';
import type { StatusView } from '../../../src/api/live-views.ts';
import type { SeriesPoint } from '../../../src/observe/series.ts';

const leg: LegView = {
  interface: 'access',
  realm: 'access',
  sipCallId: 'a@host',
  localTag: 'l1',
  remoteTag: 'r1',
  remote: '127.0.0.1:5070',
};

const media: LegMediaView = {
  receivedPackets: 10,
  receivedBytes: 1_600,
  sentPackets: 11,
  sentBytes: 1_760,
  lostPackets: 0,
  jitterMs: 0.5,
  eventPackets: 3,
  injectedPackets: 0,
  source: undefined,
  isSourceLearnt: false,
  quietMs: 12,
  dropped: { late: 1 },
};

const direction = {
  translator: '2833-to-kpml',
  alsoNotify: false,
  row: 'K5',
  rule: 'rule',
  reason: 'reason',
};
const plan = { callerToCallee: direction, calleeToCaller: direction };

export const CALL: CallView = {
  id: 'c1',
  state: 'answered',
  from: '4930111',
  to: '5551000',
  policy: 'access/*',
  startedAt: '2026-01-01T00:00:00.000Z',
  answeredAt: '2026-01-01T00:00:01.000Z',
  legs: {
    caller: { ...leg, sessionTimer: { intervalSeconds: 1800, refresher: 'us' } },
    callee: { ...leg, agent: 'carrier', codec: 'PCMA', sdpSummary: 'audio' },
  },
  plan,
  digits: { presses: 2, delivered: 1, dropped: 1, pending: 0 },
};

export const ENDED: CallView = {
  ...CALL,
  id: 'c0',
  state: 'ended',
  endedAt: '2026-01-01T00:00:09.000Z',
  end: { side: 'caller', sipCode: 200, q850: 16, code: 'hang-up', text: 'hung up' },
};

export const POINT: SeriesPoint = {
  atMs: 1,
  activeCalls: 1,
  startedCalls: 1,
  failedCalls: 0,
  deliveredDigits: 2,
  droppedDigits: 1,
  rtpPackets: 100,
  rtpLostPackets: 1,
  jitterMs: 0.5,
  loopLagMs: 1.5,
};

export const STATUS: StatusView = {
  version: '1.2.3',
  uptimeSeconds: 5,
  isReady: true,
  reasons: [],
  isDraining: false,
  config: { hash: 'abc', file: 'config/sbc.yaml', loadedAt: '2026-01-01T00:00:00.000Z' },
  activeCalls: 1,
  engine: { type: 'embedded', isUp: true },
  media: { engine: 'relay', io: 'auto', ports: [{ pool: 'access', free: 99, total: 100 }] },
  interfaces: [{ name: 'access', realm: 'access', sipPorts: ['udp/127.0.0.1:5060'], calls: 1 }],
};

export const AGENT: AgentView = {
  name: 'carrier',
  realm: 'core',
  address: '127.0.0.1:5080',
  transport: 'udp',
  state: 'in-service',
  reason: 'answers',
  since: '2026-01-01T00:00:00.000Z',
  activeSessions: 1,
  maxSessions: 0,
  groups: ['carriers'],
  history: [
    {
      at: '2026-01-01T00:00:00.000Z',
      from: 'out-of-service',
      to: 'in-service',
      reason: 'answers',
    },
  ],
  lastPing: { at: '2026-01-01T00:01:00.000Z', status: 200, rttMs: 1.25 },
};

export function fakeBackend(changes: Partial<ApiBackend> = {}): ApiBackend {
  return {
    health: () => ({ version: '1.2.3', uptimeSeconds: 5, activeCalls: 1 }),
    readiness: () => ({ isReady: true, reasons: [] }),
    metricsText: async (form) => `sbc_bugs_total 0\n${form === 'openmetrics' ? '# EOF\n' : ''}`,
    status: () => STATUS,
    series: () => ({ intervalMs: 2_000, points: [POINT] }),
    listCalls: ({ state = 'active' } = {}) => [
      ...(state === 'ended' ? [] : [CALL]),
      ...(state === 'active' ? [] : [ENDED]),
    ],
    getCall: async (callId) =>
      callId === CALL.id
        ? { ...CALL, media: { caller: media, callee: media } }
        : callId === ENDED.id
          ? ENDED
          : undefined,
    endCall: async (callId) => callId === CALL.id,
    ladder: (callId) =>
      callId === CALL.id
        ? {
            rows: [
              {
                atMs: 0,
                kind: 'sip',
                leg: 'caller',
                direction: 'in',
                summary: 'INVITE',
                text: 'x',
              },
              { atMs: 1, kind: 'decision', summary: 'K5' },
            ],
            droppedRows: 3,
            gapAt: 1,
            droppedTexts: 0,
            ends: [
              {
                leg: 'caller',
                sinceMs: 0,
                name: '127.0.0.1:5070',
                transport: 'udp',
                local: '127.0.0.1:5060',
                remote: '127.0.0.1:5070',
              },
            ],
          }
        : undefined,
    explanation: (callId) =>
      callId === CALL.id
        ? {
            callId,
            policy: 'access/*',
            settings: { caller: { rfc2833Payload: { value: 101, origin: 'default' } } },
            decisions: [
              {
                type: 'offer',
                from: 'caller',
                decision: { row: 'K5', rule: 'rule', reason: 'reason' },
              },
              { type: 'plan', plan },
            ],
            plan,
          }
        : undefined,
    listDigits: ({ callId, isDropped = false, limit = 100 } = {}) =>
      [
        {
          pressId: 'p1',
          callId: 'c1',
          direction: 'caller-to-callee' as const,
          digit: '*',
          source: { type: 'rtp' as const, ssrc: 1, rtpTimestamp: 2 },
          atMs: 3,
          outputs: [
            { type: 'notify' as const, cseq: 4, status: 200, latencyMs: 1.5, answerMs: 1_003.5 },
            { type: 'relay' as const },
            { type: 'rtp' as const, rtpTimestamp: 5, latencyMs: 2 },
          ],
        },
        {
          pressId: 'p2',
          callId: 'c2',
          direction: 'callee-to-caller' as const,
          digit: '*',
          source: { type: 'notify' as const, cseq: 9 },
          atMs: 4,
          outputs: [],
          dropped: 'no-translator' as const,
        },
      ]
        .filter((digit) => callId === undefined || digit.callId === callId)
        .filter(({ dropped }) => !isDropped || dropped !== undefined)
        .slice(-limit),
    listAgents: () => [AGENT],
    setAgentLock: (name, isLocked) =>
      name === AGENT.name
        ? isLocked
          ? { ...AGENT, state: 'locked', reason: 'operator' }
          : AGENT
        : undefined,
    listSubscriptions: () => [
      {
        callId: 'c1',
        leg: 'caller',
        role: 'notifier',
        kind: 'in-dialog',
        eventId: '',
        state: 'active',
        expiresInSeconds: 7_200,
      },
    ],
    checkConfig: async (text) => ({
      isValid: text === undefined,
      problems:
        text === undefined ? [] : [{ line: 1, column: 2, path: 'a', message: `bad: ${text}` }],
      findings: [
        { code: 'a-rule', severity: 'warning', line: 1, column: 1, message: 'b', explanation: 'c' },
      ],
    }),
    planConfig: async () => ({ verdict: 'unchanged', problems: [], current: { hash: 'abc' } }),
    reload: async () => ({ type: 'applied', hash: 'abc', isChanged: true }),
    drain: async () => ({ isDraining: true, activeCalls: 1 }),
    isDraining: false,
    onDraining: () => () => undefined,
    features: undefined,
    onFeatureEvent: () => () => undefined,
    onLiveEvent: () => () => undefined,
    ...changes,
  };
}
