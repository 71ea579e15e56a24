/**
 * local-policy -> `local-policies`: one for each source realm, calling prefix and policy-attribute.
 *
 *   source-realm a b   from-address *   to-address 49 43   two policy-attributes
 *   ->  { from-realm: a, to-prefixes: ["49", "43"], next-hop: … } four times
 */
import type { Agents } from './acme-agents.ts';
import { fallbackPolicies, type PolicyPlan } from './acme-fallbacks.ts';
import type { Groups } from './acme-groups.ts';
import type { AcmeParts } from './acme-parts.ts';
import { type PolicyHop, readAttribute } from './acme-policy-attribute.ts';
import { type Prefixes, prefixesOf } from './acme-prefixes.ts';
import type { ElementReader } from './acme-reader.ts';
import type { RealmPlan } from './acme-realms.ts';
import type { YamlEntry, YamlItem } from './acme-yaml.ts';

/** More than these from one local-policy are not readable. */
const MAX_POLICIES = 500;

export interface PolicyTargets {
  readonly parts: AcmeParts;
  readonly agents: Agents;
  readonly groups: Groups;
}

export function importPolicies(targets: PolicyTargets): readonly YamlItem[] {
  const plans = targets.parts.source
    .all('local-policy')
    .flatMap((reader) => policiesOf(reader, targets));
  const own = plans.map((plan) => ({
    comments: commentsOf(plan.reader, plan.hop),
    entries: policyEntries(plan),
  }));
  return [...own, ...fallbackPolicies(plans)];
}

function policiesOf(reader: ElementReader, targets: PolicyTargets): readonly PolicyPlan[] {
  const problem = wholeProblem(reader);
  if (problem !== undefined) {
    reader.loseWhole(problem.reason, problem.advice);
    return [];
  }
  const realms = realmsOf(reader, targets.parts);
  const from = prefixesOf(reader.list('from-address'));
  const to = prefixesOf(reader.list('to-address'));
  const count = realms.known.length * from.prefixes.length * reader.element.children.length;
  const empty = [realms.known, from.prefixes, to.prefixes].some((list) => list.length === 0);
  if (empty || count > MAX_POLICIES) {
    const reason = empty ? emptyReason(realms, { from, to }) : `it would make ${count} policies`;
    reader.loseWhole(reason, 'write it below `local-policies` by hand');
    return [];
  }
  const source = realms.known.find((realm) => realm !== '*');
  const hops = reader
    .children('policy-attribute', 'policy-attributes')
    .map((child) => readAttribute(reader.inner(child), source, targets))
    .filter((hop) => hop !== undefined);
  if (hops.length === 0) {
    reader.loseWhole('none of its policy-attributes could be carried', 'see there');
    return [];
  }
  judge(reader, { realms, from, to });
  return realms.known.flatMap((realm) =>
    from.prefixes.flatMap((calling) =>
      hops.map((hop) => ({ reader, realm, calling, to: to.prefixes, hop })),
    ),
  );
}

function policyEntries({ realm, calling, to, hop }: PolicyPlan): readonly YamlEntry[] {
  const [first = '*'] = to;
  return [
    { key: 'from-realm', value: realm },
    to.length === 1 ? { key: 'to', value: first } : { key: 'to-prefixes', value: to },
    ...(calling === '*' ? [] : [{ key: 'from', value: calling }]),
    ...hop.entries,
  ];
}

function commentsOf(reader: ElementReader, hop: PolicyHop): readonly string[] {
  const described = reader.text('description');
  return [
    `line ${reader.line}: local-policy, line ${hop.line}: policy-attribute`,
    ...(described === '' ? [] : [described]),
  ];
}

interface SourceRealms {
  /** Names here, or `*`. */
  readonly known: readonly string[];
  readonly lost: readonly string[];
  readonly folded: readonly string[];
}

function realmsOf(reader: ElementReader, { realms }: AcmeParts): SourceRealms {
  const known = new Set<string>();
  const lost: string[] = [];
  const folded: string[] = [];
  const written = reader.list('source-realm');
  for (const identifier of written.length === 0 ? ['*'] : written) {
    const realm: RealmPlan | undefined =
      identifier === '*' ? undefined : realms.serving(identifier);
    if (identifier === '*') known.add('*');
    else if (realm === undefined) lost.push(identifier);
    else {
      known.add(realm.name);
      if (realm.identifier.toLowerCase() !== identifier.toLowerCase()) folded.push(identifier);
    }
  }
  return { known: [...known], lost, folded };
}

function emptyReason(
  realms: SourceRealms,
  { from, to }: { readonly from: Prefixes; readonly to: Prefixes },
): string {
  if (realms.known.length === 0)
    return `no sip-interface serves ${realms.lost.join(', ').slice(0, 200)}`;
  const [which, { lost }] = to.prefixes.length === 0 ? ['to-address', to] : ['from-address', from];
  return `${which} ${lost.join(', ').slice(0, 200)} is no prefix of a number`;
}

function wholeProblem(reader: ElementReader): { reason: string; advice: string } | undefined {
  if (reader.text('state') === 'disabled') {
    return { reason: 'is disabled', advice: 'add it when it is to be used' };
  }
  const priority = reader.text('policy-priority');
  if (priority !== '' && priority !== 'none' && priority !== 'normal') {
    return {
      reason: `is for requests with Priority ${priority} alone`,
      advice: 'route emergency numbers by `to-prefixes` and `priority`',
    };
  }
  return undefined;
}

function judge(
  reader: ElementReader,
  {
    realms,
    from,
    to,
  }: { readonly realms: SourceRealms; readonly from: Prefixes; readonly to: Prefixes },
): void {
  if (realms.lost.length > 0)
    reader.lose(
      'source-realm',
      `without ${realms.lost.join(', ').slice(0, 200)}: no sip-interface`,
      'add the sip-interface',
    );
  else
    reader.carry(
      'source-realm',
      realms.folded.length === 0
        ? undefined
        : `${realms.folded.join(', ').slice(0, 200)}: part of another realm`,
    );
  for (const [name, { lost, note }] of [
    ['from-address', from],
    ['to-address', to],
  ] as const) {
    if (lost.length > 0)
      reader.lose(
        name,
        `without ${lost.join(', ').slice(0, 200)}: no prefix of a number`,
        'write a policy for the agent or realm',
      );
    else reader.carry(name, note);
  }
  reader.carry('description', 'as a comment');
  for (const name of ['activate-time', 'deactivate-time']) {
    if (reader.text(name) !== '')
      reader.lose(
        name,
        'policies have hours of the week, no dates',
        'add or remove the policy at that time',
      );
  }
  reader.finish();
}
