/** session-group -> `session-groups`. */
import { entryOf } from './acme-value.ts';
import type { Agents, AgentPlan } from './acme-agents.ts';
import { NameMap } from './acme-names.ts';
import type { ElementReader } from './acme-reader.ts';
import type { AcmeSource } from './acme-source.ts';
import type { YamlEntry, YamlItem } from './acme-yaml.ts';

const STRATEGIES: Readonly<Record<string, { readonly strategy: string; readonly note?: string }>> =
  {
    '': { strategy: 'hunt' },
    hunt: { strategy: 'hunt' },
    roundrobin: { strategy: 'round-robin' },
    leastbusy: { strategy: 'least-busy' },
    propdist: {
      strategy: 'weighted',
      note: 'the shares are those of max-sessions: check the weights',
    },
    lowsusrate: {
      strategy: 'least-busy',
      note: 'the agent with the fewest calls, not with the lowest rate',
    },
  };
const MAX_WEIGHT = 1000;
/** Groups inside of one group. */
const MAX_GROUPS = 100;

export class Groups {
  readonly items: YamlItem[] = [];
  readonly #readers = new NameMap<ElementReader>();
  readonly #names = new NameMap<string>();
  readonly #agents: Agents;

  constructor(source: AcmeSource, agents: Agents) {
    this.#agents = agents;
    const readers = source.all('session-group');
    for (const reader of readers) this.#readers.add(reader.text('group-name'), reader);
    for (const reader of readers) this.#add(reader);
  }

  /** Name of the group here. */
  find(name: string): string | undefined {
    return this.#names.get(name);
  }

  #add(reader: ElementReader): void {
    if (reader.text('state') === 'disabled') {
      reader.loseWhole('is disabled', 'add it when it is to be used');
      return;
    }
    const { members, lost } = this.#members(reader);
    if (members.length === 0) {
      reader.loseWhole('none of its agents could be carried', 'add the agents, then the group');
      return;
    }
    const written = reader.text('strategy');
    const known = entryOf(STRATEGIES, written.toLowerCase());
    const strategy = known?.strategy ?? 'hunt';
    if (known === undefined) reader.carry('strategy', `hunt in place of ${written}`);
    else reader.carry('strategy', known.note);
    reader.carry('group-name');
    reader.carry('description', 'as a comment');
    if (lost.length > 0)
      reader.lose(
        'dest',
        `without ${lost.join(', ').slice(0, 200)}`,
        'add these agents, then make them members',
      );
    else reader.carry('dest');
    recursion(reader);
    const original = reader.text('group-name');
    const name = this.#agents.names.take(original);
    this.#names.add(original, name);
    const described = reader.text('description');
    this.items.push({
      comments: [`line ${reader.line}: ${reader.where}`, ...(described === '' ? [] : [described])],
      entries: [
        { key: 'name', value: name },
        { key: 'strategy', value: strategy },
        { key: 'members', value: members.map((member) => member.name) },
        ...(strategy === 'weighted' ? weights(members) : []),
      ],
    });
    reader.finish(
      name === original
        ? { fate: 'carried' }
        : { fate: 'changed', reason: `is called ${name} here` },
    );
  }

  /** The agents of the group; those of groups inside of it in their place. */
  #members(reader: ElementReader): {
    readonly members: readonly AgentPlan[];
    readonly lost: readonly string[];
  } {
    const members = new Set<AgentPlan>();
    const lost: string[] = [];
    const seen = new Set<ElementReader>([reader]);
    const open = reader.list('dest').toReversed();
    for (let host = open.pop(); host !== undefined; host = open.pop()) {
      const inner = /^sag:/i.test(host) ? this.#readers.get(host.slice(4)) : undefined;
      const agent = this.#agents.find(host);
      if (inner !== undefined) {
        // A group inside of itself adds nothing.
        if (seen.has(inner)) continue;
        if (seen.size > MAX_GROUPS) lost.push(host);
        else for (const member of inner.list('dest').toReversed()) open.push(member);
        seen.add(inner);
      } else if (agent === undefined) lost.push(host);
      else members.add(agent);
    }
    return { members: [...members], lost };
  }
}

function recursion(reader: ElementReader): void {
  if (reader.text('sag-recursion') === 'disabled') {
    reader.carry('sag-recursion', 'the next agent is tried after 408, 5xx and no connection');
  } else reader.carry('sag-recursion');
}

function weights(members: readonly AgentPlan[]): readonly YamlEntry[] {
  const most = Math.max(...members.map(({ maxSessions }) => maxSessions), 1);
  const scale = most > MAX_WEIGHT ? MAX_WEIGHT / most : 1;
  const weighed = members.filter(({ maxSessions }) => maxSessions > 0);
  const value = weighed.map(({ name, maxSessions }) => ({
    key: name,
    value: Math.max(1, Math.round(maxSessions * scale)),
  }));
  return value.length === 0 ? [] : [{ key: 'weights', value }];
}
