import assert from 'node:assert/strict';
import type { Config, Realm } from '../config/config.ts';
import type { PeerSource } from '../sip/sip-connection.ts';
import type { AgentRegistry, RequestSource } from '../trunk/agent-registry.ts';
import type { SipRequest } from '../wire/sip-message.ts';
import { formatHostPort } from '../wire/sip-uri.ts';
import { CallLeg } from './call-leg.ts';

/** An INVITE as far as its leg knows it. */
export interface ArrivedInvite {
  readonly interfaceName: string;
  readonly source: PeerSource;
  readonly message: SipRequest;
}

/** The leg of whoever sent `invite`. */
export function callerLeg(
  config: Config,
  agents: Pick<AgentRegistry, 'match'>,
  { interfaceName, source: from, message }: ArrivedInvite,
): CallLeg {
  const sipInterface = config.sipInterfaces.find((item) => item.name === interfaceName);
  // A reload never changes the interfaces, so the one the INVITE came in on is there.
  assert(sipInterface !== undefined, `no sip-interface ${interfaceName}`);
  const source = requestSource(from);
  const leg = new CallLeg({
    side: 'caller',
    sipInterface,
    realm: realmNamed(config, sipInterface.realm),
    agent: agents.match(sipInterface, source),
    remote: formatHostPort(source.address, source.port),
    transport: source.transport,
  });
  leg.invite = message;
  return leg;
}

export function realmNamed(config: Config, name: string): Realm {
  const realm = config.realms.find((item) => item.name === name);
  assert(realm !== undefined, `no realm ${name}`);
  return realm;
}

export function requestSource(source: PeerSource): RequestSource {
  const { address, port, protocol } = source;
  const transport = protocol === 'tcp' || protocol === 'tls' ? protocol : 'udp';
  return { address, port, transport };
}
