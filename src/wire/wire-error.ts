/**
 * What a text codec throws: the message says what was expected and what came.
 * The room that received the text turns it into a SIP answer or ignores the text.
 */
export class WireError extends Error {
  override readonly name: string = 'WireError';
}
