/** Whether a simulated call came out as its scenario expects. */
import { SIDES, type Side } from '../wire/side.ts';
import { getHeaders, parseSipMessage } from '../wire/sip-message.ts';
import type { SimulationReport } from './report.ts';
import type { Expectation, MessageExpectation } from './scenario.ts';

type Facts = Pick<SimulationReport, 'answer' | 'plan' | 'record' | 'received' | 'keys'>;

export interface Verdict {
  /** One line for each expectation that was not met. */
  readonly failures: readonly string[];
  readonly expected: number;
}

export function judge(expect: Expectation, facts: Facts): Verdict {
  const checks = [
    ...scalarChecks(expect, facts),
    ...SIDES.flatMap((side) => sideChecks(side, expect, facts)),
    ...expect.messages.map((message) => messageCheck(message, facts)),
  ].filter((check) => check !== undefined);
  return { failures: checks.filter((failure) => failure !== ''), expected: checks.length };
}

/** '' when it is as wanted, `undefined` when nothing is wanted. */
type Check = string | undefined;

function scalarChecks({ status, agents, endedBy }: Expectation, facts: Facts): Check[] {
  const { answer, record } = facts;
  const tried = (record?.attempts ?? []).map((attempt) => attempt.agent ?? attempt.nextHop);
  return [
    same('status', status?.toString(), answer?.status.toString() ?? 'none'),
    same('agents tried', agents?.join(', '), tried.join(', ')),
    same('ended by', endedBy, record?.release.side ?? 'nobody'),
  ];
}

function sideChecks(side: Side, { keysAt, translators, rows }: Expectation, facts: Facts): Check[] {
  const { plan, keys } = facts;
  const heard = keys
    .filter((row) => row.by !== side && row.arrivedAtMs !== undefined)
    .toSorted((a, b) => (a.arrivedAtMs ?? 0) - (b.arrivedAtMs ?? 0));
  const direction = side === 'caller' ? plan?.callerToCallee : plan?.calleeToCaller;
  const way = side === 'caller' ? 'caller to callee' : 'callee to caller';
  return [
    same(`keys at the ${side}`, keysAt[side], heard.map(({ digit }) => digit).join('')),
    same(`translator ${way}`, translators[side], direction?.translator ?? 'no plan'),
    same(`row ${way}`, rows[side], direction?.row ?? 'no plan'),
  ];
}

function same(what: string, wanted: string | undefined, found: string): Check {
  if (wanted === undefined) return undefined;
  return wanted === found ? '' : `${what}: expected "${wanted}", got "${found}"`;
}

function messageCheck(wanted: MessageExpectation, { received }: Facts): Check {
  const { at, message, part, text, isPresent } = wanted;
  const found = received[at].find(({ what }) => what === message);
  const place = `${message} at the ${at}${part === '' ? '' : `, ${part}`}`;
  if (found === undefined) {
    return isPresent || part !== '' ? `${place}: there is no such message` : '';
  }
  const content = partOf(found.text, part);
  const isThere = text === undefined ? content !== '' : content.includes(text);
  if (isThere === isPresent) return '';
  const what = text === undefined ? 'it' : `"${text}"`;
  return `${place}: ${what} should ${isPresent ? '' : 'not '}be there, got "${content.trim()}"`;
}

function partOf(text: string, part: string): string {
  if (part === '') return text;
  const message = parseSipMessage(Buffer.from(text));
  return part === 'sdp' ? message.body.toString() : getHeaders(message, part).join(', ');
}
