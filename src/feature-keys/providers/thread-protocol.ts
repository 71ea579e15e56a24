/** What goes over the port of a thread that answers requests, whatever the requests are. */

export type ToThread<Request = unknown> =
  | { readonly type: 'request'; readonly id: number; readonly request: Request }
  /** Nobody waits for the answer in time any more. */
  | { readonly type: 'abort'; readonly id: number }
  | { readonly type: 'ping' };

export type FromThread =
  | { readonly type: 'ready' }
  /** The thread cannot do its work; it ends. */
  | { readonly type: 'unusable'; readonly message: string }
  | { readonly type: 'done'; readonly id: number; readonly result: unknown }
  | { readonly type: 'failed'; readonly id: number; readonly message: string }
  | { readonly type: 'event'; readonly event: unknown }
  | { readonly type: 'pong' };
