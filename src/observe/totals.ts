/** Plain counts since the start beside the Prometheus metrics: cheap to read, for the series of the last hour. */
export class Totals {
  /** Attempts of callers, those included that were refused before they became calls. */
  startedCalls = 0;
  /** Failed or refused, by us too. */
  failedCalls = 0;
  deliveredDigits = 0;
  droppedDigits = 0;
  /** Received from peers. */
  rtpPackets = 0;
  rtpLostPackets = 0;
}
