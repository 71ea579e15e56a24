/** The schema of `hep`: what is sent to a capture server such as Homer, and how it is marked. */
import * as z from 'zod';
import type { HepConfig } from './hep-config.ts';
import { anyText, flag, hostPort, integer, secret } from './values.ts';

/** Where heplify-server listens. */
const DEFAULT_PORT = 9060;
const MAX_ID = 4_294_967_295;

export const hep = z
  .strictObject({
    server: hostPort(
      'Where HEP version 3 goes by UDP: IP or host name, port 9060 unless named. Absent: nothing is sent.',
    ).optional(),
    'capture-id': integer(
      { minimum: 0, maximum: MAX_ID },
      'Number of this SBC among those that capture.',
    ).prefault('2001'),
    'node-name': anyText('Name of this SBC among those that capture; empty: none.').prefault(
      'tonebridge',
    ),
    password: secret(
      'Capture password that the server expects, sent in clear; empty: none.',
    ).prefault(''),
    sip: flag('Sends the SIP messages of calls, masked as in the ladder.').prefault('true'),
    decisions: flag(
      'Sends why digits are or are not translated, and other decisions about calls, as JSON.',
    ).prefault('true'),
    digits: flag('Sends the entries of the digit ledger as JSON.').prefault('true'),
  })
  .transform((raw): HepConfig => ({
    server:
      raw.server === undefined
        ? undefined
        : { host: raw.server.host, port: raw.server.port ?? DEFAULT_PORT },
    captureId: raw['capture-id'],
    nodeName: raw['node-name'],
    password: raw.password,
    sendsSip: raw.sip,
    sendsDecisions: raw.decisions,
    sendsDigits: raw.digits,
  }));
