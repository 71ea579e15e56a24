/** Schema of `methods`: where requests outside every dialog go. */
import * as z from 'zod';
import type { MethodRelays } from './method-relay.ts';
import { nonEmptyText } from './values.ts';

function target(what: string) {
  return nonEmptyText(
    `Session agent or session group that gets ${what} from here, or reject (405).`,
  ).optional();
}

export const methods = z
  .strictObject({
    register: target('REGISTER'),
    message: target('MESSAGE outside calls'),
    publish: target('PUBLISH'),
    notify: target('unsolicited NOTIFY'),
    info: target('INFO outside calls'),
  })
  .transform((raw): MethodRelays => {
    const entries = Object.entries(raw).filter(([, name]) => name !== undefined);
    return Object.fromEntries(entries.map(([method, name]) => [method.toUpperCase(), name]));
  });
