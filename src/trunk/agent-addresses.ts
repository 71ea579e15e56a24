/** Looks up the agents that are configured by host name, so that their requests are recognised. */
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { AgentRegistry } from './agent-registry.ts';

/** IP addresses of a host name; rejects when it has none. */
export type AddressLookup = (host: string) => Promise<readonly string[]>;

export interface LookupFailure {
  readonly agentName: string;
  readonly host: string;
  readonly reason: string;
}

const systemLookup: AddressLookup = async (host) => {
  const found = await lookup(host, { all: true });
  return found.map(({ address }) => address);
};

/**
 * Tells `registry` the addresses behind every host name. To be called at start and after each reload.
 *
 * @returns the names that could not be looked up; their agents keep the addresses known before.
 */
export async function lookUpAgents(
  registry: AgentRegistry,
  lookUp: AddressLookup = systemLookup,
): Promise<readonly LookupFailure[]> {
  const named = registry.list().filter(({ agent }) => isIP(agent.host) === 0);
  const results = await Promise.all(
    named.map(async ({ agent }): Promise<LookupFailure | undefined> => {
      const { name: agentName, host } = agent;
      try {
        registry.setAddresses(agentName, await lookUp(host));
        return undefined;
      } catch (error) {
        return { agentName, host, reason: error instanceof Error ? error.message : String(error) };
      }
    }),
  );
  return results.filter((failure) => failure !== undefined);
}
