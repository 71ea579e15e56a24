/** What a direction and its lane (fast-lanes.ts) tell each other. */

/** How a direction goes on. */
export interface LaneStart {
  /** First two bytes of its packets, without the marker. */
  readonly head: number;
  readonly ssrc: number;
  readonly nextSequenceNumber: number;
  readonly nextTimestamp: number;
  /** Between the timestamps of packets in a row. */
  readonly ticks: number;
  /** Added to the numbers. */
  readonly numberOffset: number;
  /** What the packets leave with. */
  readonly payloadType: number;
  readonly transit: Transit;
}

/** Arrival against timestamp of the last packet (RFC 3550 §A.8). */
export interface Transit {
  readonly ticks: number;
  readonly jitterTicks: number;
  readonly clockRate: number;
}

/** What has passed since the last count: `packets` in a row, the last of them as said. */
export interface LaneCount {
  readonly packets: number;
  readonly bytes: number;
  readonly sequenceNumber: number;
  readonly timestamp: number;
  readonly atMs: number;
  readonly transit: Transit;
}
