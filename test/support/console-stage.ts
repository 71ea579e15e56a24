/** A KPML phone and a telephone-event trunk beside one SBC that is watched through its console. */

import type { Locator, Page } from 'playwright-core';
import { KpmlPhone } from './kpml-phone.ts';
import type { KpmlPhoneCall } from './kpml-phone.ts';
import type { LegParameters } from './loopback-config.ts';
import { Rfc2833Trunk } from './rfc2833-trunk.ts';
import type { TrunkCall } from './rfc2833-trunk.ts';
import type { Header } from './sip-text.ts';
import { startLoopbackSbc } from './start-sbc.ts';
import type { RunningSbc } from './start-sbc.ts';
import { waitFor } from './wait-for.ts';

/** Both ends of one call, and its id in the SBC. */
export interface WatchedCall {
  readonly id: string;
  readonly phone: KpmlPhoneCall;
  readonly trunk: TrunkCall;
}

export interface ConsoleStageOptions {
  /** Of the API; none by default. */
  readonly token?: string;
  /** User part of the phone's address. */
  readonly user?: string;
  /** Of the interface towards the trunk. */
  readonly core?: LegParameters;
}

export interface CallOptions {
  /** Added to the INVITE. */
  readonly headers?: readonly Header[];
  /** The called number. */
  readonly to?: string;
  readonly hears?: boolean;
}

export class ConsoleStage {
  readonly running: RunningSbc;
  readonly phone: KpmlPhone;
  readonly trunk: Rfc2833Trunk;
  readonly #calls: WatchedCall[] = [];

  private constructor(running: RunningSbc, phone: KpmlPhone, trunk: Rfc2833Trunk) {
    this.running = running;
    this.phone = phone;
    this.trunk = trunk;
  }

  static async open(options: ConsoleStageOptions = {}): Promise<ConsoleStage> {
    const { token = '', user = 'phone', core } = options;
    const [phone, trunk] = await Promise.all([
      KpmlPhone.open({ user }),
      Rfc2833Trunk.open({ user: 'trunk' }),
    ]);
    const running = await startLoopbackSbc({
      carrier: trunk.sip,
      phone: phone.sip,
      ...(core === undefined ? {} : { core }),
      edit: (yaml) => yaml.replace(/(api: \{ listen: [^ }]+)/, `$1, token: "${token}"`),
    });
    return new ConsoleStage(running, phone, trunk);
  }

  /** `http://address:port` of the API. */
  get url(): string {
    return `http://127.0.0.1:${this.running.api.port}`;
  }

  /** The phone calls the trunk; resolves when audio runs both ways and, with `hears`, the phone has subscribed. */
  async call({
    headers = [],
    to = '5551000',
    hears = true,
  }: CallOptions = {}): Promise<WatchedCall> {
    const known = new Set(this.running.sbc.calls.list().map(({ id }) => id));
    const [phone, trunk] = await Promise.all([
      this.phone.call({ to, via: this.running.access, headers }),
      this.trunk.answer(),
    ]);
    await Promise.all([phone.waitForAudio(), trunk.waitForAudio()]);
    if (hears) await phone.listen();
    const id = this.running.sbc.calls.list().find((each) => !known.has(each.id))?.id ?? '';
    const call = { id, phone, trunk };
    this.#calls.push(call);
    return call;
  }

  /** Two digits each way. */
  async pressBothWays({ phone, trunk }: WatchedCall): Promise<void> {
    const before = phone.listener.digits.length;
    await Promise.all([phone.press('12'), trunk.press('34')]);
    await phone.listener.waitForDigits(before + 2);
  }

  async hangUp({ id, phone, trunk }: WatchedCall): Promise<void> {
    await phone.hangUp();
    await trunk.waitForEnd();
    const { calls } = this.running.sbc;
    await waitFor('end of the call', () => calls.list().every((call) => call.id !== id));
  }

  /** Ends the calls of a test that are still up. */
  async hangUpAll(): Promise<void> {
    const up = new Set(this.running.sbc.calls.list().map(({ id }) => id));
    for (const call of this.#calls.splice(0)) if (up.has(call.id)) await this.hangUp(call);
  }

  async close(): Promise<void> {
    await this.running.close();
    await Promise.all([this.phone.close(), this.trunk.close()]);
  }
}

/** The rows of the ladder as they read, one line each. */
export async function ladderOf(page: Page): Promise<string[]> {
  const rows = await page
    .getByRole('region', { name: 'Ladder' })
    .getByRole('listitem')
    .allInnerTexts();
  return rows.map((row) => row.replaceAll(/\s+/g, ' ').trim());
}

/** The first arrow of the ladder whose words match. */
export function arrow(page: Page, words: RegExp): Locator {
  return page.getByRole('region', { name: 'Ladder' }).getByRole('button', { name: words }).first();
}

/** The row of the call to 5551000 in a list. */
export function callRow(page: Page): Locator {
  return page.getByRole('table').getByRole('row').filter({ hasText: '5551000' });
}

export async function hasFocus(locator: Locator): Promise<boolean> {
  return await locator.evaluate((node) => node.matches(':focus'));
}
