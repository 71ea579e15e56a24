/** One way to a SIP server: a socket of its own, and what came back on it. */
import { openTcp, openTls, openUdp, type SipRemote, type SipTransport } from './sip-transport.ts';
import { parseSipText, type SipText } from './sip-text.ts';
import { tlsAuthority, tlsOwner } from './tls-files.ts';
import { waitFor } from './wait-for.ts';

export class SipWay {
  readonly #transport: SipTransport;
  readonly #to: SipRemote;
  readonly #heard: SipText[];

  constructor(transport: SipTransport, to: SipRemote, heard: SipText[]) {
    this.#transport = transport;
    this.#to = to;
    this.#heard = heard;
  }

  get protocol(): SipTransport['protocol'] {
    return this.#transport.protocol;
  }

  /** Where it listens; a connection leaves from another port. */
  get ownAddress(): string {
    return `127.0.0.1:${this.#transport.port}`;
  }

  send(text: string): void {
    this.#transport.send(text, this.#to);
  }

  /** The oldest message that is `wanted`; it is taken out. */
  async next(what: string, wanted: (message: SipText) => boolean): Promise<SipText> {
    return await waitFor(
      what,
      () => {
        const index = this.#heard.findIndex(wanted);
        return index < 0 ? undefined : this.#heard.splice(index, 1)[0];
      },
      { details: () => this.#heard.map(({ startLine }) => startLine).join('\n') },
    );
  }

  async close(): Promise<void> {
    await this.#transport.close();
  }
}

/** A client of the server at `to`; with TLS it trusts the authority of the tests. */
export async function openWay(protocol: SipTransport['protocol'], to: SipRemote): Promise<SipWay> {
  const heard: SipText[] = [];
  const take = (text: string): void => {
    heard.push(parseSipText(text));
  };
  const at = { address: '127.0.0.1', port: 0 };
  if (protocol === 'udp') return new SipWay(await openUdp(at.address, at.port, take), to, heard);
  if (protocol === 'tcp') return new SipWay(await openTcp(at.address, at.port, take), to, heard);
  const tls = { ...tlsOwner('carrier'), ca: tlsAuthority() };
  return new SipWay(await openTls(tls, at, take), to, heard);
}
