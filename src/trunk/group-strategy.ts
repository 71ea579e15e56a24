/** In which order the members of a session group are tried: one function per strategy. */
import type { HuntStrategy, SessionGroup } from '../config/config.ts';

/** Why an agent gets no calls: the words of the agent's state and its reason. */
export interface AgentObstacle {
  readonly state: string;
  readonly reason: string;
}

/** What routing may ask about the trunks at this moment. */
export interface TrunkView {
  /** What stands against the agent: locked, out of service or full. */
  readonly obstacle?: (agentName: string) => AgentObstacle | undefined;
  /** False while something does. */
  readonly isUsable: (agentName: string) => boolean;
  /** Calls the agent carries now. */
  readonly sessions: (agentName: string) => number;
  /** Counts up by one each time it is asked; starts at 0. */
  readonly nextTurn: (groupName: string) => number;
  /** 0 up to but not including 1. */
  readonly random: () => number;
}

type Strategy = (group: SessionGroup, view: TrunkView) => readonly string[];

const STRATEGIES: Readonly<Record<HuntStrategy, Strategy>> = {
  hunt: (group) => group.members,
  'round-robin': rotate,
  'least-busy': leastBusyFirst,
  weighted: drawByWeight,
};

/** Member names, the one to try first at the front. */
export function orderMembers(group: SessionGroup, view: TrunkView): readonly string[] {
  return STRATEGIES[group.strategy](group, view);
}

function rotate(group: SessionGroup, view: TrunkView): readonly string[] {
  const start = view.nextTurn(group.name) % Math.max(1, group.members.length);
  return [...group.members.slice(start), ...group.members.slice(0, start)];
}

/** Equally busy members keep the order of the file. */
function leastBusyFirst(group: SessionGroup, view: TrunkView): readonly string[] {
  return group.members.toSorted((a, b) => view.sessions(a) - view.sessions(b));
}

/** Draws member after member, each with a chance in proportion to its weight. */
function drawByWeight(group: SessionGroup, view: TrunkView): readonly string[] {
  const left = [...group.members];
  const order: string[] = [];
  while (left.length > 0) {
    const weights = left.map((name) => group.weights[name] ?? 1);
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    let ticket = view.random() * total;
    let index = weights.findIndex((weight) => {
      ticket -= weight;
      return ticket < 0;
    });
    // Rounding may leave the last ticket undrawn.
    if (index < 0) index = left.length - 1;
    order.push(...left.splice(index, 1));
  }
  return order;
}
