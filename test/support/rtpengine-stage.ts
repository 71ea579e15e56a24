/** An SBC whose media rtpengine carries: for stages of any kind, by an edit of their configuration. */

import { freePorts } from './free-ports.ts';
import { closeAfterTest } from './leak-check.ts';
import { RtpengineDaemon, type RtpengineOptions } from './rtpengine-daemon.ts';

const OWN_RELAY = /^media: .*$/m;

export interface RtpengineStage {
  readonly daemons: readonly RtpengineDaemon[];
  /** The change to the configuration text. */
  readonly edit: (yaml: string) => string;
}

/** Daemons that live as long as the running test, each reporting to the SBC. */
export async function rtpengineStage(
  options: { readonly daemons?: number; readonly daemonOptions?: RtpengineOptions } = {},
): Promise<RtpengineStage> {
  const [reportPort = 0] = await freePorts(1);
  const reportTo = `127.0.0.1:${reportPort}`;
  const daemons: RtpengineDaemon[] = [];
  for (let count = options.daemons ?? 1; count > 0; count -= 1) {
    const daemon = await RtpengineDaemon.start({ dtmfLogTo: reportTo, ...options.daemonOptions });
    daemons.push(closeAfterTest(daemon));
  }
  const nodes = daemons.map(
    ({ host, port }) => `{ host: ${host}, port: ${port}, dtmf-listen: "${reportTo}" }`,
  );
  const media = `media: { engine: rtpengine, rtpengine: [ ${nodes.join(', ')} ] }`;
  return { daemons, edit: (yaml) => yaml.replace(OWN_RELAY, media) };
}
