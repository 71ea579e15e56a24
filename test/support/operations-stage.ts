/**
 * A KPML phone in realm access, and two trunks behind one hunt group in realm core, each asked by OPTIONS whether it
 * lives; feature keys for two users. One SBC for all tests of a file, watched through its console.
 */

import { freePorts } from './free-ports.ts';
import { KpmlPhone } from './kpml-phone.ts';
import type { KpmlPhoneCall } from './kpml-phone.ts';
import { Rfc2833Trunk } from './rfc2833-trunk.ts';
import type { TrunkCall } from './rfc2833-trunk.ts';
import { startLoopbackSbc } from './start-sbc.ts';
import type { RunningSbc } from './start-sbc.ts';
import { waitFor } from './wait-for.ts';

const PING = 'options-ping: { interval: 500ms, timeout: 400ms, down-after: 4, up-after: 1 }';
const FEATURE_KEYS = [
  'feature-keys:',
  '  enabled: true',
  '  domains: { pbx.example: [ 127.0.0.1 ] }',
  '  provider: { kind: sqlite, file: ":memory:" }',
  '  users: { "2001": { password: secret-2001 }, "2002": { password: secret-2002 } }',
  '',
].join('\n');

/** Both ends of one call. */
export interface StagedCall {
  readonly phone: KpmlPhoneCall;
  readonly trunk: TrunkCall;
}

export class OperationsStage {
  readonly running: RunningSbc;
  readonly phone: KpmlPhone;
  /** The session agent `carrier`, the first of the group. */
  readonly first: Rfc2833Trunk;
  readonly #secondPort: number;
  /** The session agent `carrier-two`; absent while it is dead. */
  second: Rfc2833Trunk | undefined;

  private constructor(
    running: RunningSbc,
    ends: { phone: KpmlPhone; first: Rfc2833Trunk; second: Rfc2833Trunk },
  ) {
    this.running = running;
    this.phone = ends.phone;
    this.first = ends.first;
    this.second = ends.second;
    this.#secondPort = ends.second.sip.port;
  }

  static async open(): Promise<OperationsStage> {
    const [port = 0] = await freePorts(1);
    const [phone, first, second] = await Promise.all([
      KpmlPhone.open({ user: 'phone' }),
      Rfc2833Trunk.open({ user: 'first' }),
      Rfc2833Trunk.open({ user: 'second', port }),
    ]);
    const other = `{ name: carrier-two, realm: core, address: "127.0.0.1:${port}", transport: udp, ${PING} }`;
    const running = await startLoopbackSbc({
      carrier: first.sip,
      phone: phone.sip,
      // A lock that is tested leaves a warning behind, no error.
      edit: (yaml) =>
        yaml
          .replace('  - name: carrier\n', `  - ${other}\n  - name: carrier\n    ${PING}\n`)
          .replace('local-policies:\n', `${GROUPS}local-policies:\n`)
          .replace('to: "*", next-hop: carrier }', 'to: "*", next-hop: carriers }')
          .replace('feature-keys: { enabled: false }\n', FEATURE_KEYS),
    });
    return new OperationsStage(running, { phone, first, second });
  }

  /** `http://address:port` of the API. */
  get url(): string {
    return `http://127.0.0.1:${this.running.api.port}`;
  }

  /** The phone calls, whoever is next in the group answers; audio runs both ways. */
  async call(trunk: Rfc2833Trunk = this.first): Promise<StagedCall> {
    const [phoneCall, trunkCall] = await Promise.all([
      this.phone.call({ to: '5551000', via: this.running.access }),
      trunk.answer(),
    ]);
    await Promise.all([phoneCall.waitForAudio(), trunkCall.waitForAudio()]);
    return { phone: phoneCall, trunk: trunkCall };
  }

  async hangUp({ phone, trunk }: StagedCall): Promise<void> {
    await phone.hangUp();
    await trunk.waitForEnd();
    await waitFor('end of the call', () => this.running.sbc.calls.size === 0);
  }

  /** Id of the only call that is up. */
  get callId(): string {
    const [call] = this.running.sbc.calls.list();
    if (call === undefined) throw new Error('no call is up');
    return call.id;
  }

  /** The second trunk answers nothing any more. */
  async killSecond(): Promise<void> {
    await this.second?.close();
    this.second = undefined;
  }

  async reviveSecond(): Promise<Rfc2833Trunk> {
    this.second ??= await Rfc2833Trunk.open({ user: 'second', port: this.#secondPort });
    return this.second;
  }

  async close(): Promise<void> {
    await this.running.close();
    await Promise.all([this.phone.close(), this.first.close(), this.second?.close()]);
  }
}

const GROUPS = [
  'session-groups:',
  '  - { name: carriers, strategy: hunt, members: [ carrier, carrier-two ] }',
  '',
].join('\n');
