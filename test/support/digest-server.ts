/** A server that asks for credentials and judges them by its own arithmetic (RFC 2617, RFC 7616). */

import { createHash, randomBytes } from 'node:crypto';
import type { Reply } from './sip-dialog.ts';
import { headerValue, methodOf } from './sip-text.ts';
import type { Header, SipText } from './sip-text.ts';

export interface DigestServerOptions {
  readonly username?: string;
  readonly password?: string;
  readonly realm?: string;
  readonly algorithm?: 'MD5' | 'SHA-256';
  readonly qop?: 'auth' | 'auth-int' | 'none';
  /** 401 of a registrar or endpoint, 407 of a proxy. */
  readonly status?: 401 | 407;
  /** False: a request-URI that was changed on the way is no objection (RFC 2617 §3.2.2.5). Default true. */
  readonly checksUri?: boolean;
}

export class DigestServer {
  readonly realm: string;
  readonly #username: string;
  readonly #password: string;
  readonly #algorithm: 'MD5' | 'SHA-256';
  readonly #qop: 'auth' | 'auth-int' | 'none';
  readonly #status: 401 | 407;
  readonly #checksUri: boolean;
  /** Highest nc seen by nonce. */
  readonly #counts = new Map<string, number>();
  #old = new Set<string>();

  constructor(options: DigestServerOptions = {}) {
    this.realm = options.realm ?? 'carrier.example';
    this.#username = options.username ?? 'tone';
    this.#password = options.password ?? 's3cr"et';
    this.#algorithm = options.algorithm ?? 'MD5';
    this.#qop = options.qop ?? 'auth';
    this.#status = options.status ?? 401;
    this.#checksUri = options.checksUri ?? true;
  }

  /** From now on no nonce given out so far counts any more. */
  expireNonces(): void {
    this.#old = new Set([...this.#old, ...this.#counts.keys()]);
  }

  /** `undefined` for a request with the right credentials, else the answer to give. */
  challengeFor(request: SipText): Reply | undefined {
    const name = this.#status === 401 ? 'Authorization' : 'Proxy-Authorization';
    const given = fields(headerValue(request, name) ?? '');
    const nonce = given.get('nonce') ?? '';
    if (this.#old.has(nonce)) return this.#challenge(', stale=true');
    const last = this.#counts.get(nonce);
    if (last === undefined || !this.#isRight(request, given)) return this.#challenge('');
    const count = Number.parseInt(given.get('nc') ?? '1', 16);
    if (this.#qop !== 'none' && count <= last) return this.#challenge('');
    this.#counts.set(nonce, count);
    return undefined;
  }

  #isRight(request: SipText, given: ReadonlyMap<string, string>): boolean {
    const hash = (text: string): string =>
      createHash(this.#algorithm === 'MD5' ? 'md5' : 'sha256')
        .update(text)
        .digest('hex');
    const part = (name: string): string => given.get(name) ?? '';
    const requestUri = request.startLine.split(' ')[1] ?? '';
    const uri = this.#checksUri ? requestUri : part('uri');
    const body = this.#qop === 'auth-int' ? `:${hash(request.body)}` : '';
    const secret = hash(`${this.#username}:${this.realm}:${this.#password}`);
    const subject = hash(`${methodOf(request)}:${uri}${body}`);
    const protection =
      this.#qop === 'none' ? '' : `:${part('nc')}:${part('cnonce')}:${part('qop')}`;
    return (
      part('uri') === uri &&
      part('username') === this.#username &&
      part('response') === hash(`${secret}:${part('nonce')}${protection}:${subject}`)
    );
  }

  #challenge(rest: string): Reply {
    const nonce = randomBytes(8).toString('hex');
    this.#counts.set(nonce, 0);
    const qop = this.#qop === 'none' ? '' : `, qop="${this.#qop}"`;
    const value = `Digest realm="${this.realm}", nonce="${nonce}", algorithm=${this.#algorithm}${qop}${rest}`;
    const name = this.#status === 401 ? 'WWW-Authenticate' : 'Proxy-Authenticate';
    return { status: this.#status, headers: [[name, value]] };
  }
}

/** The credentials of a device without qop, for the challenge in an answer. */
export function digestCredentials(
  answer: SipText,
  user: { readonly username: string; readonly password: string },
  request: { readonly method: string; readonly uri: string },
): Header {
  const challenge = fields(headerValue(answer, 'WWW-Authenticate') ?? '');
  const [realm = '', nonce = ''] = ['realm', 'nonce'].map((name) => challenge.get(name));
  const { username, password } = user;
  const { method, uri } = request;
  const response = md5(
    `${md5(`${username}:${realm}:${password}`)}:${nonce}:${md5(`${method}:${uri}`)}`,
  );
  const value = `Digest username="${username}", realm="${realm}", nonce="${nonce}", uri="${uri}", response="${response}"`;
  return ['Authorization', value];
}

function md5(text: string): string {
  return createHash('md5').update(text).digest('hex');
}

function fields(value: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const [, name = '', quoted, bare = ''] of value.matchAll(
    /(\w+)=(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))/g,
  )) {
    found.set(name, quoted === undefined ? bare : quoted.replaceAll(/\\(.)/g, '$1'));
  }
  return found;
}
