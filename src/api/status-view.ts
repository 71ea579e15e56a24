import type { Call } from '../call/call.ts';
import type { Config } from '../config/config.ts';
import { formatHostPort } from '../wire/sip-uri.ts';
import type { MediaEngine } from '../media/media-engine.ts';
import type { InterfaceView, PortPoolView, StatusView } from './live-views.ts';

/** The sip-interfaces with the legs of `calls` that are on them. */
export function interfaceViews(config: Config, calls: readonly Call[]): InterfaceView[] {
  const legs = new Map<string, number>();
  for (const { caller, session } of calls) {
    for (const leg of session === undefined ? [caller] : [caller, session.legs.callee]) {
      const { name } = leg.sipInterface;
      legs.set(name, (legs.get(name) ?? 0) + 1);
    }
  }
  return config.sipInterfaces.map(({ name, realm, sipPorts }) => ({
    name,
    realm,
    sipPorts: sipPorts.map(
      ({ transport, address, port }) => `${transport}/${formatHostPort(address, port)}`,
    ),
    calls: legs.get(name) ?? 0,
  }));
}

export type MediaState = Pick<MediaEngine, 'portsFree' | 'engineNodes'>;

/** `ioInUse`: see `StatusView`. */
export function mediaSideView(
  config: Config,
  media: MediaState,
  ioInUse: string | undefined,
): StatusView['media'] {
  const { engine, io } = config.media;
  const nodes = media.engineNodes?.map(({ name, isUp, calls, isResting }) => ({
    name,
    isUp,
    calls,
    ...(isResting === true ? { isResting } : {}),
  }));
  return {
    engine,
    io,
    ...(ioInUse === undefined ? {} : { ioInUse }),
    ...(nodes === undefined ? {} : { nodes }),
    ports: portViews(config, media),
  };
}

/** The media ports of each realm; a realm that has had no stream has all of them. Empty if media servers have them. */
export function portViews(
  { realms }: Config,
  { portsFree, engineNodes }: MediaState,
): PortPoolView[] {
  if (engineNodes !== undefined) return [];
  return realms.map(({ name, media }) => {
    const total = pairsIn(media.portMin, media.portMax);
    return { pool: name, free: Math.min(portsFree[name] ?? total, total), total };
  });
}

/** An even port stands for itself and the next one. */
function pairsIn(portMin: number, portMax: number): number {
  const first = portMin + (portMin % 2);
  return Math.max(0, Math.floor((portMax - first + 1) / 2));
}
