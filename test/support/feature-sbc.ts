/** A whole SBC that serves feature keys, with phones and a client of its HTTP API. */
import { FeaturePhone, type FeaturePhoneOptions } from './feature-phone.ts';
import { expectNoLeak, openResources } from './leak-check.ts';
import { type RunningSbc, type StartOptions, startLoopbackSbc } from './start-sbc.ts';

export interface FeatureSbcOptions extends Partial<StartOptions> {
  /** Entries of `feature-keys` as YAML flow text, beside those that every test needs. */
  readonly section?: Readonly<Record<string, string>>;
}

export interface ApiReply {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

export interface FeatureSbc {
  readonly running: RunningSbc;
  /** `http://address:port` of the API. */
  readonly url: string;
  /** A phone of account 2001 unless told otherwise, closed with the SBC. */
  phone(options?: Partial<FeaturePhoneOptions>): Promise<FeaturePhone>;
  /** Asks the API about feature keys; `path` begins behind `/api/v1`. */
  ask(method: string, path: string, body?: unknown, headers?: object): Promise<ApiReply>;
  /** Takes down phones and SBC; rejects when something of them is left. */
  close(): Promise<void>;
}

/** Users 2001 and 2002 of pbx.example; loopback is not challenged; the store is in memory. */
export async function startFeatureSbc(options: FeatureSbcOptions = {}): Promise<FeatureSbc> {
  const { section = {}, edit = (yaml: string) => yaml, ...start } = options;
  const before = openResources();
  const phones: FeaturePhone[] = [];
  const entries: Readonly<Record<string, string>> = {
    enabled: 'true',
    domains: '{ pbx.example: [ 127.0.0.1 ] }',
    provider: '{ kind: sqlite, file: ":memory:", deadline: 30s }',
    users: '{ "2001": { password: secret-2001 }, "2002": { password: secret-2002 } }',
    ...section,
  };
  const text = Object.entries(entries).map(([name, value]) => `  ${name}: ${value}\n`);
  const running = await startLoopbackSbc({
    carrier: { address: '127.0.0.1', port: 5060 },
    ...start,
    edit: (yaml) =>
      edit(yaml.replace('feature-keys: { enabled: false }\n', `feature-keys:\n${text.join('')}`)),
  });
  const url = `http://127.0.0.1:${running.api.port}`;
  return {
    running,
    url,
    phone: async (own = {}) => {
      const phone = await FeaturePhone.open({ sbc: running.access, ...own });
      phones.push(phone);
      return phone;
    },
    ask: async (method, path, body, headers = {}) => {
      const type = body === undefined ? {} : { 'content-type': 'application/json' };
      const reply = await fetch(`${url}/api/v1${path}`, {
        method,
        // The check for leaks sees an idle connection as one.
        headers: { ...type, ...headers, connection: 'close' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const answer = await reply.text();
      return {
        status: reply.status,
        headers: reply.headers,
        body: answer === '' ? undefined : JSON.parse(answer),
      };
    },
    close: async () => {
      await running.close();
      for (const phone of phones) await phone.close();
      await expectNoLeak(before);
    },
  };
}
