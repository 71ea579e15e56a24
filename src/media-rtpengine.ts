/** Opens the rtpengines of the configuration, and joins them to log and metrics. */
import type { MediaConfig } from './config/config.ts';
import { RtpengineEngine } from './media/rtpengine/rtpengine-engine.ts';
import { RtpengineNodes } from './media/rtpengine/rtpengine-nodes.ts';
import type { Log } from './observe/log.ts';
import type { Metrics } from './observe/metrics.ts';

/** Resolves when every node has answered or has not; one that is away may come later. */
export async function openRtpengine(
  { rtpengine, inactivityTimeoutMs, holdTimeoutMs }: MediaConfig,
  { log, metrics }: { readonly log: Log; readonly metrics: Metrics },
): Promise<RtpengineEngine> {
  const hosts = rtpengine.map(({ host, port }) => ({ host, port }));
  let isOpen = false;
  const tell = (node: string, isUp: boolean): void => {
    if (isUp) log.info({ node }, 'rtpengine answers');
    else log.warn({ node }, 'rtpengine does not answer');
  };
  const nodes = await RtpengineNodes.open(hosts, {
    onRequest: ({ node, command, seconds, result }) => {
      metrics.rtpengine.request(node, command, seconds);
      if (result !== 'ok') metrics.rtpengine.requestFailed(node, command, result);
    },
    onDrop: (_node, reason) => metrics.rtpengine.answerDropped(reason),
    onUp: (node, isUp) => {
      if (isOpen) tell(node, isUp);
    },
  });
  isOpen = true;
  for (const { name, isUp } of nodes.views) tell(name, isUp);
  return await RtpengineEngine.open({
    nodes,
    reports: rtpengine.flatMap(({ host, dtmfListen }) =>
      dtmfListen === undefined ? [] : [{ host, ...dtmfListen }],
    ),
    inactivityTimeoutMs,
    holdTimeoutMs,
    onNodeLost: (node, streams) => log.error({ node, streams }, 'rtpengine lost'),
    onRefused: ({ isRestBegun, ...refusal }) => {
      log.warn(refusal, 'rtpengine does not carry a call');
      const { node } = refusal;
      if (isRestBegun) log.warn({ node }, 'rtpengine gets no new calls for a while');
    },
    onReportDropped: (reason) => metrics.rtpengine.reportDropped(reason),
    onStranger: (address) =>
      log.warn({ address }, 'reports of keys from an address that is no rtpengine are dropped'),
  });
}
