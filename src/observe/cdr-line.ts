import { maskUriPasswords } from './mask.ts';

/** One line of a file of call records or of its journal: JSON without the passwords that peers put into URIs. */
export function cdrLine(value: object): string {
  return `${JSON.stringify(value, maskString)}\n`;
}

function maskString(_key: string, value: unknown): unknown {
  return typeof value === 'string' ? maskUriPasswords(value) : value;
}
