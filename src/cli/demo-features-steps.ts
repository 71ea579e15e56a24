/** The steps of the feature demo. Each ends with a look at what both phones and the API show. */
import type { Feature } from '../wire/feature-event.ts';
import { readApiState, stateText } from './demo-features-state.ts';
import { ACCOUNT, type DemoStage, type StagePhone } from './demo-features-stage.ts';
import type { KeyPress } from './demo-phone.ts';

export interface StepResult {
  readonly title: string;
  /** Absent: all went as it should. */
  readonly problem: string | undefined;
}

interface Step {
  readonly title: string;
  /** What everybody shows afterwards. */
  readonly expected: string;
  /** Phones that have no subscription any more are not asked what they show. */
  readonly watching?: readonly ('A' | 'B')[];
  /** Gives what was wrong, if anything. */
  play(stage: DemoStage): Promise<string | undefined>;
}

/** How long the parties have to agree: a bound for the case that they never do. */
const AGREE_MS = 5000;
const POLL_MS = 10;
/** A NOTIFY that should not come would by then: more than the gap between two of them. */
const QUIET_MS = 400;
/** Less would be an expiry in the past on a slow machine. */
const SHORT_EXPIRES_SECONDS = 2;

const ALL_OFF = 'DND off | CFA off | CFB off | CFNA off, 5 rings';
const WITH_DND = 'DND on | CFA off | CFB off | CFNA off, 5 rings';
const WITH_CFA = 'DND on | CFA on to 2424 | CFB off | CFNA off, 5 rings';
const CLEARED = 'DND off | CFA off to 2424 | CFB off | CFNA off, 5 rings';
const WITH_CFNA = 'DND off | CFA off to 2424 | CFB off | CFNA on to 2002, 3 rings';
const WITHOUT_CFB = 'DND off | CFA off to 2424 | CFB - | CFNA on to 2002, 3 rings';
const DND_AGAIN = 'DND on | CFA off to 2424 | CFB - | CFNA on to 2002, 3 rings';

const STEPS: readonly Step[] = [
  {
    title: 'Both phones start: each is challenged, subscribes, and gets every feature',
    expected: ALL_OFF,
    play: async ({ phoneA, phoneB }) =>
      (await expectStatus(200, phoneA.subscribe(3600))) ??
      (await expectStatus(200, phoneB.subscribe(3600))),
  },
  {
    title: 'Phone A presses Do Not Disturb',
    expected: WITH_DND,
    play: ({ phoneA }) => press(phoneA, { feature: 'DoNotDisturb', status: true }),
  },
  {
    title: 'The API forwards all calls to 2424',
    expected: WITH_CFA,
    play: (stage) =>
      put(stage, 'CallForwardingAlways', { status: true, forwardTo: '2424' }, 'applied'),
  },
  {
    title: 'Phone B clears both; the number stays stored',
    expected: CLEARED,
    play: async ({ phoneB }) =>
      (await press(phoneB, { feature: 'DoNotDisturb', status: false })) ??
      press(phoneB, { feature: 'CallForwardingAlways', status: false }),
  },
  {
    title: 'Phone A presses forward on busy without a number: refused, A is shown what is stored',
    expected: CLEARED,
    play: ({ phoneA, phoneB }) =>
      onlyToSetter(phoneB, () =>
        refused(phoneA, { feature: 'CallForwardingBusy', status: true }, 'no-target'),
      ),
  },
  {
    title: 'Phone B forwards on no answer to 2002 after 3 rings',
    expected: WITH_CFNA,
    play: ({ phoneB }) =>
      press(phoneB, {
        feature: 'CallForwardingNoAnswer',
        status: true,
        forwardTo: '2002',
        ringCount: 3,
      }),
  },
  {
    title: 'The same value from the API: unchanged, nobody is told',
    expected: WITH_CFNA,
    play: (stage) =>
      onlyToSetter(stage.phoneB, () =>
        put(stage, 'CallForwardingNoAnswer', { status: true, ringCount: 3 }, 'unchanged'),
      ),
  },
  {
    title: 'The API takes forward on busy away: both phones get all that is left',
    expected: WITHOUT_CFB,
    play: async (stage) => {
      const path = `/features/${ACCOUNT}/CallForwardingBusy`;
      const { status } = await stage.api('PATCH', path, { assigned: false });
      return status === 200 ? undefined : `PATCH was answered ${status}`;
    },
  },
  {
    title: 'Phone A presses it all the same: not applied, A alone is told',
    expected: WITHOUT_CFB,
    play: ({ phoneA, phoneB }) =>
      onlyToSetter(phoneB, () =>
        refused(
          phoneA,
          { feature: 'CallForwardingBusy', status: true, forwardTo: '2003' },
          'unassigned',
        ),
      ),
  },
  {
    title: 'Phone A leaves; what changes now is told to phone B alone',
    expected: DND_AGAIN,
    watching: ['B'],
    play: async (stage) => {
      const left = await expectStatus(200, stage.phoneA.refresh(0));
      await reached(() => stage.phoneA.subscriptionState.startsWith('terminated'));
      const before = stage.phoneA.notifies;
      const problem = left ?? (await put(stage, 'DoNotDisturb', { status: true }, 'applied'));
      await sleep(QUIET_MS);
      return problem ?? (stage.phoneA.notifies === before ? undefined : 'phone A was told');
    },
  },
  {
    title: 'The subscription of phone B runs out; its refresh meets 481',
    expected: DND_AGAIN,
    watching: [],
    play: async ({ phoneB }) => {
      const short = await expectStatus(200, phoneB.refresh(SHORT_EXPIRES_SECONDS));
      await reached(() => phoneB.subscriptionState === 'terminated;reason=timeout');
      if (!phoneB.subscriptionState.startsWith('terminated')) return 'phone B was not told the end';
      return short ?? expectStatus(481, phoneB.refresh(3600));
    },
  },
  {
    title: 'Both subscribe anew and see all of it',
    expected: DND_AGAIN,
    play: async ({ phoneA, phoneB }) =>
      (await expectStatus(200, phoneA.subscribe(3600))) ??
      (await expectStatus(200, phoneB.subscribe(3600))),
  },
];

/** Plays the steps; what follows a step that failed would say nothing. */
export async function playSteps(
  stage: DemoStage,
  agreeMs = AGREE_MS,
): Promise<readonly StepResult[]> {
  const results: StepResult[] = [];
  for (const [index, step] of STEPS.entries()) {
    const title = `${index + 1}. ${step.title}`;
    stage.timeline.title(title);
    const problem = await step.play(stage).catch(messageOf);
    const disagreement = await compare(stage, step, agreeMs);
    results.push({ title, problem: problem ?? disagreement });
    if (problem !== undefined) stage.timeline.verdict(`WRONG: ${problem}`);
    if (problem !== undefined || disagreement !== undefined) break;
  }
  return results;
}

/** Waits until all that watch show what is expected, and writes down what they show. */
async function compare(stage: DemoStage, step: Step, agreeMs: number): Promise<string | undefined> {
  const watching = step.watching ?? ['A', 'B'];
  let texts = new Map<string, string>();
  const look = async (): Promise<boolean> => {
    texts = new Map([['API', await apiText(stage)]]);
    if (watching.includes('A')) texts.set('phone A', stateText(stage.phoneA.shown));
    if (watching.includes('B')) texts.set('phone B', stateText(stage.phoneB.shown));
    return [...texts.values()].every((text) => text === step.expected);
  };
  const agreed = await reached(look, agreeMs);
  if (agreed) {
    stage.timeline.verdict(`= ${[...texts.keys()].join(', ')}: ${step.expected}`);
    return undefined;
  }
  for (const [name, text] of texts) stage.timeline.verdict(`DIFFERENT ${name}: ${text}`);
  stage.timeline.verdict(`expected: ${step.expected}`);
  const shown = Array.from(texts, ([name, text]) => `${name} shows ${text}`);
  return `expected ${step.expected}, but ${shown.join('; ')}`;
}

async function apiText(stage: DemoStage): Promise<string> {
  const { body } = await stage.ask('GET', `/features/${ACCOUNT}`);
  return stateText(readApiState(body));
}

async function press(phone: StagePhone, key: KeyPress): Promise<string | undefined> {
  return expectStatus(200, phone.press(key));
}

async function expectStatus(
  expected: number,
  asked: ReturnType<StagePhone['refresh']>,
): Promise<string | undefined> {
  const { status } = await asked;
  return status === expected ? undefined : `expected ${expected}, got ${status}`;
}

/** A refusal is 200 with a Warning that names the reason, and a NOTIFY to the phone that pressed. */
async function refused(
  phone: StagePhone,
  key: KeyPress,
  code: string,
): Promise<string | undefined> {
  const before = phone.notifies;
  const { status, headers } = await phone.press(key);
  if (status !== 200) return `expected 200, got ${status}`;
  const warning = headers.find(({ name }) => name.toLowerCase() === 'warning')?.value ?? '';
  if (!warning.includes(code)) return `expected a Warning with ${code}, got "${warning}"`;
  const isTold = await reached(() => phone.notifies > before);
  return isTold ? undefined : 'the phone that pressed was not told';
}

/** Whatever `play` does must not reach `other`. */
async function onlyToSetter(
  other: StagePhone,
  play: () => Promise<string | undefined>,
): Promise<string | undefined> {
  const before = other.notifies;
  const problem = await play();
  await sleep(QUIET_MS);
  return problem ?? (other.notifies === before ? undefined : 'the other phone was told');
}

async function put(
  stage: DemoStage,
  feature: Feature,
  value: object,
  outcome: string,
): Promise<string | undefined> {
  const { status, body } = await stage.api('PUT', `/features/${ACCOUNT}/${feature}`, value);
  if (status !== 200) return `PUT was answered ${status}`;
  const isRight = JSON.stringify(body).includes(`"outcome":"${outcome}"`);
  return isRight ? undefined : `expected ${outcome}, got ${JSON.stringify(body)}`;
}

async function reached(
  probe: () => boolean | Promise<boolean>,
  limitMs = AGREE_MS,
): Promise<boolean> {
  const deadlineMs = performance.now() + limitMs;
  for (;;) {
    if (await probe()) return true;
    if (performance.now() > deadlineMs) return false;
    await sleep(POLL_MS);
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
