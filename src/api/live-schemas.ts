/** Schemas of the state of the process, its last hour and its events. */
import { z } from 'zod';
import { agentSchema, callSchema, digitSchema } from './schemas.ts';
import type { SeriesPoint } from '../observe/series.ts';
import type * as views from './live-views.ts';

const count = z.number();

export const processSchema: z.ZodType<views.StatusView> = z.strictObject({
  version: z.string(),
  uptimeSeconds: count,
  isReady: z.boolean(),
  reasons: z.array(z.string()),
  isDraining: z.boolean(),
  config: z.strictObject({
    hash: z.string(),
    file: z.string().exactOptional(),
    loadedAt: z.string().meta({ format: 'date-time' }),
  }),
  activeCalls: count,
  engine: z.strictObject({ type: z.string(), isUp: z.boolean() }),
  media: z.strictObject({
    engine: z.string(),
    io: z.string(),
    ioInUse: z.string().exactOptional(),
    nodes: z
      .array(
        z.strictObject({
          name: z.string(),
          isUp: z.boolean(),
          calls: count,
          isResting: z.boolean().exactOptional(),
        }),
      )
      .exactOptional(),
    ports: z.array(z.strictObject({ pool: z.string(), free: count, total: count })),
  }),
  interfaces: z.array(
    z.strictObject({
      name: z.string(),
      realm: z.string(),
      sipPorts: z.array(z.string()),
      calls: count,
    }),
  ),
});

const point: z.ZodType<SeriesPoint> = z.strictObject({
  atMs: count,
  activeCalls: count,
  startedCalls: count,
  failedCalls: count,
  deliveredDigits: count,
  droppedDigits: count,
  rtpPackets: count,
  rtpLostPackets: count,
  jitterMs: count,
  loopLagMs: count,
});

export const seriesSchema: z.ZodType<views.SeriesView> = z.strictObject({
  intervalMs: count,
  points: z.array(point),
});

const callsEvent: z.ZodType<views.CallsEvent> = z.strictObject({
  changed: z.array(callSchema),
  ended: z.array(z.string()),
  isPartial: z.boolean(),
});

const digitsEvent: z.ZodType<views.DigitsEvent> = z.strictObject({
  records: z.array(digitSchema),
  isPartial: z.boolean(),
});

/** What each event brings, by its name. */
export const liveEventSchemas = {
  calls: callsEvent,
  agent: agentSchema,
  digits: digitsEvent,
  point,
} as const;
