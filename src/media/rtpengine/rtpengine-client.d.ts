/** What ng-library.ts uses of packages that bring no types: rtpengine-client 0.4.12 ... */
declare module 'rtpengine-client' {
  import type { Socket } from 'node:dgram';
  import type { EventEmitter } from 'node:events';

  /** Resolves with the decoded answer; rejects with a text of the engine, or an Error of its own. */
  type Command = (port: number, host: string, request: object) => Promise<unknown>;

  export class Client extends EventEmitter {
    constructor(options: { localAddress?: string; timeout: number; rejectOnError: boolean });
    readonly socket: Socket;
    /** What waits for an answer, by cookie. */
    readonly messages: Map<string, unknown>;
    readonly timers: Map<string, NodeJS.Timeout>;
    readonly ping: Command;
    readonly offer: Command;
    readonly answer: Command;
    readonly delete: Command;
    readonly query: Command;
    readonly playDTMF: Command;
    readonly blockDTMF: Command;
    readonly unblockDTMF: Command;
    close(): void;
  }
}

/** ... and debug 4. */
declare module 'debug' {
  const debug: {
    enabled(name: string): boolean;
    enable(names: string): void;
    /** Returns what was enabled. */
    disable(): string;
  };
  export default debug;
}
