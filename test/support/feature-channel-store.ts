/**
 * A provider module with its state in memory, which others in this process read and write over a broadcast channel: the
 * changes that come so are those that a provider reports by itself.
 */

import { BroadcastChannel } from 'node:worker_threads';

export interface ChannelState {
  readonly status: boolean;
  readonly values: { readonly forwardTo?: string; readonly ringCount?: number };
  readonly version: number;
}

/** To the store. */
export type StoreOrder =
  | {
      readonly type: 'write';
      readonly presentity: string;
      readonly feature: string;
      readonly status: boolean;
      readonly values: ChannelState['values'];
    }
  | { readonly type: 'dump'; readonly id: number };

/** From the store. */
export interface StoreDump {
  readonly type: 'dumped';
  readonly id: number;
  /** By `presentity feature`. */
  readonly states: Readonly<Record<string, ChannelState>>;
}

/** One JSON text per message. */
export class StoreChannel {
  readonly #channel: BroadcastChannel;
  readonly #post: (text: string) => void;

  constructor(name: string, onMessage: (message: StoreOrder | StoreDump) => void) {
    this.#channel = new BroadcastChannel(name);
    this.#post = this.#channel.postMessage.bind(this.#channel);
    this.#channel.addEventListener('message', (event) => {
      if ('data' in event) onMessage(JSON.parse(String(event.data)));
    });
  }

  send(message: StoreOrder | StoreDump): void {
    this.#post(JSON.stringify(message));
  }

  /** Lets its thread end before it is closed. */
  unref(): void {
    this.#channel.unref();
  }

  close(): void {
    this.#channel.close();
  }
}

const OFF: ChannelState = { status: false, values: {}, version: 0 };

const states = new Map<string, ChannelState>();
const listeners = new Set<(presentity: string, feature: string) => void>();
let channel: StoreChannel | undefined;

export function init(options: Readonly<Record<string, string>>): void {
  const opened = new StoreChannel(options['channel'] ?? '', (message) => {
    if (message.type === 'dump') {
      opened.send({ type: 'dumped', id: message.id, states: Object.fromEntries(states) });
    } else if (message.type === 'write') {
      write(message.presentity, message.feature, message);
      for (const listener of listeners) listener(message.presentity, message.feature);
    }
  });
  opened.unref();
  channel = opened;
}

export function get(presentity: string, feature: string): Promise<object> {
  const state = states.get(`${presentity} ${feature}`) ?? OFF;
  return Promise.resolve({ ...state, assigned: true, notify: true });
}

export function set(
  presentity: string,
  feature: string,
  change: { readonly proposed: Omit<ChannelState, 'version'> },
): Promise<object> {
  const { version, status, values } = write(presentity, feature, change.proposed);
  return Promise.resolve({ outcome: 'applied', status, values, version });
}

export function watch(changed: (presentity: string, feature: string) => void): () => void {
  listeners.add(changed);
  return () => listeners.delete(changed);
}

export function close(): Promise<void> {
  channel?.close();
  return Promise.resolve();
}

function write(
  presentity: string,
  feature: string,
  { status, values }: Omit<ChannelState, 'version'>,
): ChannelState {
  const key = `${presentity} ${feature}`;
  const state = { status, values, version: (states.get(key) ?? OFF).version + 1 };
  states.set(key, state);
  return state;
}
