import type { EndCause } from './end-cause.ts';

/** How far a call has come. */
export type CallState =
  | { readonly type: 'setup' }
  /** `hungUp`: a side has left, the other is told behind its last digits. */
  | { readonly type: 'answered'; readonly hungUp?: EndCause }
  | { readonly type: 'ended'; readonly cause: EndCause };
