/** How the search for a route reads in a terminal and as JSON. */
import { callingAt, type NumberOnItsWay, type RouteTrace } from '../trunk/route-trace.ts';
import { describePolicy } from './explain-text.ts';

/** Lines about the policies, each ending with a line feed; the policy of the first hop has a line of its own. */
export function formatTrace(trace: RouteTrace): string {
  const used = trace.policies.find(({ verdict }) => verdict === 'used');
  const lines = [
    ...trace.policies
      .filter((each) => each !== used)
      .map(({ index, policy, verdict, why }) => {
        const because = why === '' ? '' : `: ${why}`;
        return `  ${VERDICTS[verdict]}  ${describePolicy(policy, index)}${because}`;
      }),
    ...(trace.others === 0 ? [] : [`  for other requests  ${trace.others}`]),
  ];
  return lines.map((line) => `${line}\n`).join('');
}

const VERDICTS = {
  used: 'and then',
  'no-hop': 'no hop',
  'not-reached': 'not reached',
  lost: 'lost',
  'not-for': 'not for this',
} as const;

/** The numbers as they came in and as policies see them; ends with a line feed. */
export function formatNumbers(trace: RouteTrace): string {
  const { called, calling, translateIn } = trace;
  const by = translateIn.length === 0 ? '' : ` (translate-in ${translateIn.join(', ')})`;
  const shown = calling.received === '' ? '' : `, calling ${change(calling)}`;
  return `numbers   called ${change(called)}${shown}${by}\n`;
}

function change({ received, arrived }: NumberOnItsWay): string {
  const before = received === '' ? '(none)' : received;
  return received === arrived ? before : `${before} -> ${arrived}`;
}

export function traceJson(trace: RouteTrace): object {
  const { called, calling, translateIn, policies, others, result } = trace;
  return {
    called,
    calling,
    translateIn,
    policies: policies.map(({ index, verdict, why }) => ({ index, verdict, why })),
    others,
    skipped: result.skipped,
    callingAtHops:
      result.type === 'route' ? result.hops.map((hop) => callingAt(hop, calling.received)) : [],
  };
}
