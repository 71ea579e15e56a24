/** Schema of the credentials that we have at a session agent. */
import * as z from 'zod';
import type { AgentAuth } from './config.ts';
import { nonEmptyText, secret } from './values.ts';

export const agentAuth = z
  .strictObject({
    username: nonEmptyText('Our user name at the agent.'),
    password: secret('Our password there; ${VARIABLE} or file:PATH keep it out of this file.'),
    realm: nonEmptyText(
      'The only realm whose challenges are answered; unset: any that the agent names.',
    ).optional(),
  })
  .transform((raw): AgentAuth => ({
    username: raw.username,
    password: raw.password,
    realm: raw.realm,
  }));
