/** The way of a request to a device that has registered through us. */
import type { Config } from '../../config/config.ts';
import { DEFAULT_PRIORITY, type LocalPolicy } from '../../config/routing-config.ts';
import type { AgentRegistry } from '../../trunk/agent-registry.ts';
import { translationAt } from '../../trunk/numbering.ts';
import type { Hop, RouteRequest, RouteResult } from '../../trunk/policy.ts';
import { formatSipUri } from '../../wire/sip-uri.ts';
import { userOf } from '../headers/header-policy.ts';
import type { Binding, Registrations } from './registrations.ts';

/** The route of an INVITE whose request-URI stands for a device; `undefined` for any other. */
export function deviceRoute(
  config: Config,
  request: RouteRequest,
  registrations: Registrations,
  agents: Pick<AgentRegistry, 'match'>,
): RouteResult | undefined {
  const { requestUri, sipInterface, fromRealm, atMs } = request;
  if (sipInterface === undefined || atMs === undefined) return undefined;
  const binding = registrations.find(userOf(requestUri), sipInterface.name, atMs);
  const place = binding === undefined ? undefined : deviceHop(config, binding, agents);
  if (place === undefined) return undefined;
  // Its Contact is called as it is; who calls is shown in the numbers that the device is used to.
  const before = translationAt(config, { agent: request.fromAgent, sipInterface }, 'in');
  const hop = { ...place, translations: { before, leaving: translationAt(config, place, 'out') } };
  const policy = registrationPolicy(fromRealm, userOf(requestUri) ?? '');
  const step = { policy, hops: [hop], skipped: [] };
  return { type: 'route', ...step, steps: [step] };
}

/** To where the REGISTER came from, whatever the Contact names: NAT may stand between. */
export function deviceHop(
  config: Config,
  { contact, interfaceName, source }: Binding,
  agents: Pick<AgentRegistry, 'match'>,
): Hop | undefined {
  const sipInterface = config.sipInterfaces.find(({ name }) => name === interfaceName);
  if (sipInterface === undefined) return undefined;
  const { address, port, protocol } = source;
  const transport = protocol === 'tcp' || protocol === 'tls' ? protocol : 'udp';
  const parameters = new Map([['transport', transport]]);
  const nextHop = formatSipUri({ scheme: 'sip', host: address, port, parameters });
  const agent = agents.match(sipInterface, { address, port, transport });
  return { agent, sipInterface, requestUri: contact, nextHop };
}

/** What stands in logs and records in place of a local policy. */
function registrationPolicy(fromRealm: string, to: string): LocalPolicy {
  return {
    fromRealm,
    fromAgent: undefined,
    place: -1,
    to,
    from: '*',
    methods: ['INVITE'],
    priority: DEFAULT_PRIORITY,
    cost: 0,
    time: undefined,
    nextHop: 'registration',
    toRealm: undefined,
    rejection: undefined,
    translate: undefined,
  };
}
