/** What one direction of a relay is made of. */

import type { RelayLeg } from './relay-leg.ts';
import type { RelayOutput } from './relay-output.ts';

export interface DirectionOptions {
  readonly from: RelayLeg;
  readonly to: RelayLeg;
  readonly outputs: RelayOutput[];
  readonly random: () => number;
  readonly gapMs?: number | undefined;
  readonly packetIntervalMs?: number | undefined;
}
