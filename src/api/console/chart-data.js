/** Points of the running SBC as columns of a chart and as rows of a table. */

const MS_PER_SECOND = 1_000;

/** One count per interval; the others are moments. */
const COUNTS = [
  'startedCalls',
  'failedCalls',
  'deliveredDigits',
  'droppedDigits',
  'rtpPackets',
  'rtpLostPackets',
];

/** Newer points behind the kept ones, without those older than the window; a point that is known counts once. */
export function appended(points, newer, windowSeconds) {
  const lastMs = points.at(-1)?.atMs ?? 0;
  const all = [...points, ...newer.filter(({ atMs }) => atMs > lastMs)];
  const firstMs = (all.at(-1)?.atMs ?? 0) - windowSeconds * MS_PER_SECOND;
  return all.filter(({ atMs }) => atMs > firstMs);
}

/** One point for all of each `groupMs`: counts added up, the most calls, mean jitter, the worst lag. */
export function grouped(points, groupMs) {
  const groups = [];
  let group;
  for (const point of points) {
    const atMs = Math.ceil(point.atMs / groupMs) * groupMs;
    if (group?.atMs !== atMs) {
      group = { atMs, members: [] };
      groups.push(group);
    }
    group.members.push(point);
  }
  return groups.map(({ atMs, members }) => ({ ...pointOf(members), atMs }));
}

function pointOf(members) {
  const point = {};
  for (const name of COUNTS) {
    point[name] = members.reduce((sum, member) => sum + member[name], 0);
  }
  const heard = members.map((member) => jitterMs(member)).filter((jitter) => jitter !== undefined);
  const total = heard.reduce((sum, jitter) => sum + jitter, 0);
  return {
    ...point,
    activeCalls: Math.max(...members.map(({ activeCalls }) => activeCalls)),
    loopLagMs: Math.max(...members.map(({ loopLagMs }) => loopLagMs)),
    jitterMs: heard.length === 0 ? 0 : total / heard.length,
  };
}

/** Times in seconds, then a column per line; a pause of several points breaks the lines instead of being drawn through. */
export function columns(points, lines, intervalMs) {
  const times = [];
  const values = lines.map(() => []);
  let previousMs;
  for (const point of points) {
    if (previousMs !== undefined && point.atMs - previousMs > 5 * intervalMs) {
      times.push((previousMs + intervalMs) / MS_PER_SECOND);
      for (const column of values) column.push(null);
    }
    previousMs = point.atMs;
    times.push(point.atMs / MS_PER_SECOND);
    for (const [at, { valueOf }] of lines.entries()) values[at].push(valueOf(point) ?? null);
  }
  return [times, ...values];
}

/** Share of lost packets in percent; `undefined` where no packet was due. */
export function lossPercent({ rtpPackets, rtpLostPackets }) {
  const due = rtpPackets + rtpLostPackets;
  return due > 0 ? (100 * rtpLostPackets) / due : undefined;
}

/** `undefined` where no packet came that could have any. */
export function jitterMs(point) {
  return point.rtpPackets > 0 || point.jitterMs > 0 ? point.jitterMs : undefined;
}
