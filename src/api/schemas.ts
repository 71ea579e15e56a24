/** The views as schemas, for the OpenAPI document; the compiler keeps them equal to the views. */
import { z } from 'zod';
import type { LintFinding } from '../config/lint.ts';
import type { CdrForwarding } from '../observe/cdr.ts';
import type { DigitRecord } from '../observe/digit-ledger.ts';
import { DIGIT_DROP_REASONS } from '../observe/digit-ledger.ts';
import type { LadderEnd, LadderRow } from '../observe/ladder.ts';
import type * as views from './backend.ts';

/** What a failed request gets. */
export interface ErrorView {
  /** Stable name for programs. */
  readonly error: string;
  /** One sentence for people. */
  readonly message: string;
}

const side = z.enum(['caller', 'callee']);
const count = z.number();
const time = z.string().meta({ format: 'date-time' });

export const errorSchema: z.ZodType<ErrorView> = z.strictObject({
  error: z.string(),
  message: z.string(),
});

export const statusSchema = z.strictObject({
  status: z.literal('ok'),
  version: z.string().exactOptional(),
  uptimeSeconds: z.number().exactOptional(),
  activeCalls: count.exactOptional(),
});

export const readinessSchema: z.ZodType<views.ReadinessView> = z.strictObject({
  isReady: z.boolean(),
  reasons: z.array(z.string()),
});

const leg: z.ZodType<views.LegView> = z.strictObject({
  interface: z.string(),
  realm: z.string(),
  agent: z.string().exactOptional(),
  sipCallId: z.string(),
  localTag: z.string(),
  remoteTag: z.string(),
  remote: z.string(),
  codec: z.string().exactOptional(),
  sdpSummary: z.string().exactOptional(),
  sessionTimer: z.strictObject({ intervalSeconds: count, refresher: z.string() }).exactOptional(),
});

const directionPlan: z.ZodType<views.DirectionPlanView> = z.strictObject({
  translator: z.string(),
  alsoNotify: z.boolean(),
  row: z.string(),
  rule: z.string(),
  reason: z.string(),
  wouldCross: z.string().optional(),
  isOnHold: z.boolean().exactOptional(),
});

const plan: z.ZodType<views.PlanView> = z.strictObject({
  callerToCallee: directionPlan,
  calleeToCaller: directionPlan,
});

const legMedia: z.ZodType<views.LegMediaView> = z.object({
  receivedPackets: count,
  receivedBytes: count,
  sentPackets: count,
  sentBytes: count,
  lostPackets: count,
  jitterMs: z.number(),
  eventPackets: count,
  injectedPackets: count,
  source: z.string().optional(),
  isSourceLearnt: z.boolean(),
  quietMs: z.number(),
  dropped: z.record(z.string(), count),
});

const callEnd: z.ZodType<views.CallEndView> = z.strictObject({
  side: z.enum(['caller', 'callee', 'sbc']),
  sipCode: count,
  q850: count.exactOptional(),
  code: z.string(),
  text: z.string(),
});

export const callSchema: z.ZodType<views.CallView> = z.strictObject({
  id: z.string(),
  state: z.string(),
  from: z.string(),
  to: z.string(),
  startedAt: time,
  answeredAt: time.exactOptional(),
  endedAt: time.exactOptional(),
  end: callEnd.exactOptional(),
  policy: z.string().exactOptional(),
  legs: z.strictObject({ caller: leg, callee: leg.exactOptional() }),
  plan: plan.exactOptional(),
  media: z.strictObject({ caller: legMedia, callee: legMedia }).exactOptional(),
  digits: z.strictObject({ presses: count, delivered: count, dropped: count, pending: count }),
});

const ladderRow: z.ZodType<LadderRow> = z.strictObject({
  atMs: z.number(),
  kind: z.enum(['sip', 'media', 'dtmf', 'decision']),
  leg: side.exactOptional(),
  direction: z.enum(['in', 'out']).exactOptional(),
  summary: z.string(),
  text: z.string().exactOptional(),
  remote: z.string().exactOptional(),
  transport: z.string().exactOptional(),
  otherCallId: z.string().exactOptional(),
  wholeBytes: count.exactOptional(),
});

const ladderEnd: z.ZodType<LadderEnd> = z.strictObject({
  leg: side,
  sinceMs: z.number(),
  name: z.string(),
  transport: z.string(),
  local: z.string(),
  remote: z.string(),
});

export const ladderSchema = z.strictObject({
  callId: z.string(),
  droppedRows: count,
  gapAt: count,
  droppedTexts: count,
  rows: z.array(ladderRow),
  ends: z.array(ladderEnd),
});

const settings: z.ZodType<views.SettingsView> = z.record(
  z.string(),
  z.strictObject({ value: z.unknown(), origin: z.string() }),
);

// Decisions and plans carry further facts, which are shown as they are.
const reasoned = z.object({ row: z.string(), rule: z.string(), reason: z.string() });
const decision: z.ZodType<views.DecisionView> = z.discriminatedUnion('type', [
  z.strictObject({ type: z.enum(['offer', 'answer']), from: side, decision: reasoned }),
  z.strictObject({
    type: z.literal('plan'),
    plan: z.object({ callerToCallee: directionPlan, calleeToCaller: directionPlan }),
  }),
]);

const forwarding: z.ZodType<CdrForwarding> = z.strictObject({
  steps: z.array(
    z.strictObject({ feature: z.string(), from: z.string(), to: z.string().exactOptional() }),
  ),
  chain: z.array(z.string()),
});

export const explanationSchema: z.ZodType<views.ExplanationView> = z.strictObject({
  callId: z.string(),
  policy: z.string().exactOptional(),
  skipped: z.array(z.strictObject({ agent: z.string(), reason: z.string() })).exactOptional(),
  forwarding: forwarding.exactOptional(),
  settings: z.strictObject({ caller: settings.exactOptional(), callee: settings.exactOptional() }),
  decisions: z.array(decision),
  plan: plan.exactOptional(),
});

export const digitSchema: z.ZodType<DigitRecord> = z.strictObject({
  pressId: z.string(),
  callId: z.string(),
  direction: z.enum(['caller-to-callee', 'callee-to-caller']),
  digit: z.string(),
  source: z.discriminatedUnion('type', [
    z.strictObject({ type: z.literal('rtp'), ssrc: z.number(), rtpTimestamp: z.number() }),
    z.strictObject({ type: z.literal('notify'), cseq: z.number() }),
    z.strictObject({ type: z.literal('info'), cseq: z.number() }),
  ]),
  atMs: z.number(),
  outputs: z.array(
    z.discriminatedUnion('type', [
      z.strictObject({ type: z.literal('rtp'), rtpTimestamp: z.number(), latencyMs: z.number() }),
      z.strictObject({
        type: z.enum(['notify', 'info']),
        cseq: z.number().exactOptional(),
        status: z.number(),
        latencyMs: z.number().meta({ description: 'From the press until it was sent.' }),
        answerMs: z
          .number()
          .meta({ description: 'From the press until it was answered.' })
          .exactOptional(),
      }),
      z.strictObject({ type: z.literal('relay') }),
    ]),
  ),
  dropped: z.enum(DIGIT_DROP_REASONS).exactOptional(),
});

export const agentSchema: z.ZodType<views.AgentView> = z.strictObject({
  name: z.string(),
  realm: z.string(),
  address: z.string(),
  transport: z.string(),
  state: z.string(),
  reason: z.string(),
  since: z.string(),
  activeSessions: count,
  maxSessions: count,
  groups: z.array(z.string()),
  lastPing: z
    .strictObject({
      at: z.string(),
      status: z.number().exactOptional(),
      rttMs: z.number().exactOptional(),
    })
    .exactOptional(),
  history: z.array(
    z.strictObject({ at: time, from: z.string(), to: z.string(), reason: z.string() }),
  ),
});

export const subscriptionSchema: z.ZodType<views.SubscriptionView> = z.strictObject({
  callId: z.string(),
  leg: side,
  role: z.enum(['notifier', 'subscriber']),
  kind: z.enum(['in-dialog', 'separate']),
  eventId: z.string(),
  state: z.string(),
  expiresInSeconds: z.number().exactOptional(),
});

export const problemSchema: z.ZodType<views.ProblemView> = z.strictObject({
  line: z.number(),
  column: z.number(),
  path: z.string(),
  message: z.string(),
  suggestion: z.string().exactOptional(),
});

export const findingSchema: z.ZodType<LintFinding> = z.strictObject({
  code: z.string(),
  severity: z.enum(['error', 'warning', 'info']),
  line: count.exactOptional(),
  column: count.exactOptional(),
  message: z.string(),
  explanation: z.string(),
});

export const configCheckSchema: z.ZodType<views.ConfigCheckView> = z.strictObject({
  isValid: z.boolean(),
  findings: z.array(findingSchema),
  problems: z.array(problemSchema),
});

export const reloadSchema: z.ZodType<views.ReloadView> = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('applied'), hash: z.string(), isChanged: z.boolean() }),
  z.strictObject({ type: z.literal('refused'), problems: z.array(problemSchema) }),
]);

export const drainSchema: z.ZodType<views.DrainView> = z.strictObject({
  isDraining: z.boolean(),
  activeCalls: count,
});

/** As JSON Schema without the parts that OpenAPI 3.1 does not want inside. */
export function jsonSchema(schema: z.ZodType): Record<string, unknown> {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { io: 'input' });
  return rest;
}
