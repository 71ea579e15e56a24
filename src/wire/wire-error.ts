/**
 * What a text codec throws: the message says what was expected and what came.
 * The room that received the text turns it into a SIP answer or ignores the text.
 */
export class WireError extends Error {
  override readonly name: string = 'WireError';
}

/** Runs `read`; a WireError is answered by `onError`, any other error is a bug and goes on. */
export function attempt<T>(read: () => T, onError: (error: WireError) => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof WireError) return onError(error);
    throw error;
  }
}
