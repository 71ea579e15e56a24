/** `tonebridge features test`: a phone of the account switches DND to and fro, and shows what it sees. */
import type { Command } from 'commander';
import { readAccount } from '../api/feature-account.ts';
import { isWildcard, parseHostPort } from '../config/address.ts';
import type { Config } from '../config/config.ts';
import { loadConfigFile } from '../config/load-file.ts';
import type { FeatureReport } from '../wire/feature-event.ts';
import type { SipMessage } from '../wire/sip-message.ts';
import { DemoPhone, reportsOf } from './demo-phone.ts';
import { EXIT_CODES } from './exit-codes.ts';
import { badConfig, type CommandResult, finish, globalOptions } from './output.ts';
import { progressOf } from './progress.ts';

/** How long the phone waits for each NOTIFY. */
const PATIENCE_MS = 5_000;
const EXPIRES_SECONDS = 60;
const POLL_MS = 10;

export interface TestedPhone {
  /** `sip:user@domain`. */
  readonly account: string;
  /** Where SUBSCRIBEs go. */
  readonly server: { readonly address: string; readonly port: number };
  /** Empty where none is known; only a source that is not trusted needs it. */
  readonly password: string;
}

interface Step {
  readonly atMs: number;
  readonly way: 'in' | 'out';
  readonly text: string;
}

export function addFeatureTest(features: Command): void {
  features
    .command('test')
    .description(
      'subscribe like a phone, toggle DND twice and print the exchange; on the machine of the SBC only',
    )
    .argument('<account>', 'account, such as 2001@pbx.example')
    .option('--sip <host:port>', 'SIP address over UDP (default: the first one configured)')
    .action(async (account: string, { sip }: { sip?: string }, command: Command) => {
      const loaded = loadConfigFile(globalOptions(command).config);
      if (loaded.type === 'invalid') {
        finish(command, badConfig(loaded.file, loaded.problems));
        return;
      }
      const phone = phoneFor(loaded.config, account, sip);
      if (typeof phone === 'string') command.error(`error: ${phone}`);
      else {
        const progress = progressOf(command);
        const result = await testFeatures(phone, (text) => progress.show(text));
        progress.end();
        finish(command, result);
      }
    });
}

/** The phone that the configuration describes, or why there is none. */
export function phoneFor(
  { featureKeys, sipInterfaces }: Config,
  text: string,
  sip?: string,
): TestedPhone | string {
  const account = readAccount(text, featureKeys.domains);
  if (account.type !== 'account') return account.message;
  const { presentity } = account;
  const server = sip === undefined ? firstUdpPort(sipInterfaces) : addressIn(sip);
  if (server === undefined) return 'there is no SIP address over UDP; name one with --sip';
  const user = presentity.slice('sip:'.length, presentity.lastIndexOf('@'));
  const password = featureKeys.users[user]?.password ?? '';
  return { account: presentity, server, password };
}

function firstUdpPort(sipInterfaces: Config['sipInterfaces']): TestedPhone['server'] | undefined {
  const port = sipInterfaces
    .flatMap(({ sipPorts }) => sipPorts)
    .find(({ transport }) => transport === 'udp');
  if (port === undefined) return undefined;
  return { address: isWildcard(port.address) ? '127.0.0.1' : port.address, port: port.port };
}

function addressIn(text: string): TestedPhone['server'] | undefined {
  const where = parseHostPort(text);
  return where && { address: where.host, port: where.port ?? 5060 };
}

/** Subscribes, switches DND over and back, and leaves: the state is as it was. */
export async function testFeatures(
  tested: TestedPhone,
  tell: (text: string) => void = () => undefined,
): Promise<CommandResult> {
  const steps: Step[] = [];
  const startMs = performance.now();
  const { account, server, password } = tested;
  const at = account.lastIndexOf('@');
  const phone = await DemoPhone.open({
    user: account.slice('sip:'.length, at),
    domain: account.slice(at + 1),
    password,
    server,
    userAgent: 'Tonebridge features test',
    onMessage: (message, way) => {
      const text = summaryOf(message);
      steps.push({ atMs: performance.now() - startMs, way, text });
      tell(`step ${steps.length}: ${text}`);
    },
  });
  try {
    const problem = await toggleTwice(phone);
    return report(account, steps, problem);
  } catch (error) {
    // The phone of the demonstration throws when no answer came at all.
    const message = `cannot connect to ${server.address}:${server.port}: ${String(error)}`;
    return { ...report(account, steps, message), exitCode: EXIT_CODES.notConnected };
  } finally {
    await phone.close();
  }
}

/** @returns what went wrong. */
async function toggleTwice(phone: DemoPhone): Promise<string | undefined> {
  const subscribed = await phone.subscribe(EXPIRES_SECONDS);
  if (subscribed.status >= 300) return `SUBSCRIBE was answered ${subscribed.status}`;
  if (!(await isSoon(() => phone.notifies > 0))) return 'no NOTIFY came';
  const before = phone.shown.get('DoNotDisturb')?.status;
  if (before === undefined) return 'the account does not have DoNotDisturb';
  const problem = (await toggle(phone, !before)) ?? (await toggle(phone, before));
  const left = await phone.refresh(0);
  if (problem !== undefined || left.status >= 300) {
    return problem ?? `SUBSCRIBE with Expires 0 was answered ${left.status}`;
  }
  const isOver = (): boolean => phone.subscriptionState.startsWith('terminated');
  return (await isSoon(isOver)) ? undefined : 'no last NOTIFY came';
}

async function toggle(phone: DemoPhone, status: boolean): Promise<string | undefined> {
  const told = phone.notifies;
  const answer = await phone.press({ feature: 'DoNotDisturb', status });
  if (answer.status >= 300) return `the set was answered ${answer.status}`;
  if (!(await isSoon(() => phone.notifies > told))) return 'no NOTIFY came after the set';
  const shown = phone.shown.get('DoNotDisturb')?.status;
  return shown === status ? undefined : 'the set was refused: DoNotDisturb stays as it was';
}

async function isSoon(condition: () => boolean): Promise<boolean> {
  const deadlineMs = performance.now() + PATIENCE_MS;
  while (!condition()) {
    if (performance.now() >= deadlineMs) return false;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  return true;
}

function report(
  account: string,
  steps: readonly Step[],
  problem: string | undefined,
): CommandResult {
  const lines = steps.map(({ atMs, way, text }) => {
    const time = `+${(atMs / 1000).toFixed(3)}`;
    return `${time.padStart(8)}  ${way === 'out' ? 'phone -> SBC' : 'SBC -> phone'}  ${text}\n`;
  });
  const verdict = problem === undefined ? 'works, DND is as it was' : `failed: ${problem}`;
  const last = `${account}: ${verdict}\n`;
  const json = { account, isWorking: problem === undefined, problem: problem ?? null, steps };
  const text = lines.join('');
  if (problem === undefined) return { exitCode: EXIT_CODES.good, text: text + last, json };
  return { exitCode: EXIT_CODES.findings, text, errorText: last, json };
}

function summaryOf(message: SipMessage): string {
  if (message.type === 'response') return `${message.status} ${message.reason}`;
  const { method, headers, body } = message;
  const value = (name: string): string | undefined =>
    headers.find((header) => header.name.toLowerCase() === name)?.value;
  const state = value('subscription-state');
  const expires = value('expires');
  const parts = [
    method,
    ...(expires === undefined ? [] : [`Expires ${expires}`]),
    ...(state === undefined ? [] : [state]),
  ];
  if (method === 'NOTIFY') parts.push(...reportsOf(message).map(formatReport));
  else if (body.length > 0) parts.push(setIn(body.toString('latin1')));
  return parts.join(', ');
}

function formatReport({ feature, status, forwardTo, ringCount }: FeatureReport): string {
  const target = forwardTo === undefined ? '' : ` ${forwardTo}`;
  const rings = ringCount === undefined ? '' : ` after ${ringCount} rings`;
  return `${feature} ${status ? 'on' : 'off'}${target}${rings}`;
}

function setIn(body: string): string {
  return `set DoNotDisturb ${body.includes('>true<') ? 'on' : 'off'}`;
}
