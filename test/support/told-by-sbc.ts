/** Everything that an SBC tells: what its API answers to every GET, and what its stream of events says. */
import { get, type IncomingMessage } from 'node:http';
import { z } from 'zod';

const openapiSchema = z.object({ paths: z.record(z.string(), z.record(z.string(), z.unknown())) });

/** What stands for the parameters of paths. */
export type PathValues = Readonly<Record<string, string>>;

export interface Told {
  /** Method, path and Accept. */
  readonly where: string;
  readonly text: string;
}

/** Every GET that its OpenAPI names, each in all forms there are. */
export async function askEverything(
  url: string,
  values: PathValues,
  token: string,
): Promise<readonly Told[]> {
  const openapi: unknown = await (await fetch(`${url}/openapi.json`)).json();
  const paths = Object.entries(openapiSchema.parse(openapi).paths)
    .filter(([path, methods]) => 'get' in methods && !path.endsWith('/events'))
    .map(([path]) => path.replaceAll(/\{(\w+)\}/g, (_, name: string) => values[name] ?? name));
  const forms = ['json', 'text', 'mermaid', 'pcap'].map((form) => `?format=${form}`);
  const places = ['/openapi.json', '/metrics', ...paths].flatMap((path) => [
    path,
    ...(path.endsWith('/ladder') ? forms : []).map((form) => path + form),
    ...(path.endsWith('/calls') ? [`${path}?state=all`] : []),
  ]);
  const told: Told[] = [];
  for (const place of new Set(places)) {
    for (const accept of ['application/json', 'text/plain', 'application/openmetrics-text']) {
      const headers = { accept, authorization: `Bearer ${token}`, connection: 'close' };
      const answer = await fetch(url + place, { headers });
      const text = Buffer.from(await answer.arrayBuffer()).toString('latin1');
      told.push({ where: `GET ${place} (${accept}): ${answer.status}`, text });
    }
  }
  return told;
}

/** Collects a stream of events as text until it is closed. */
export class EventText {
  text = '';
  readonly #response: IncomingMessage;

  private constructor(response: IncomingMessage) {
    this.#response = response;
    response.setEncoding('utf8');
    response.on('data', (text: string) => {
      this.text += text;
    });
    response.on('error', () => undefined);
  }

  static async open(url: string): Promise<EventText> {
    const request = get(url, { agent: false, headers: { accept: 'text/event-stream' } });
    return new EventText(
      await new Promise<IncomingMessage>((resolve, reject) => {
        request.once('response', resolve);
        request.once('error', reject);
      }),
    );
  }

  close(): Promise<void> {
    this.#response.destroy();
    return Promise.resolve();
  }
}
