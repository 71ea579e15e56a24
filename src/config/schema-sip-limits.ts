/** Schema of `sip.limits`: what one peer, and all together, may take of the embedded SIP engine. */
import * as z from 'zod';
import type { SipLimits } from './config.ts';
import { duration, integer } from './values.ts';

const RATE = { minimum: 0, maximum: 1_000_000 };
const BURST = { minimum: 1, maximum: 1_000_000 };

export const sipLimits = z
  .strictObject({
    'message-bytes': integer(
      { minimum: 2048, maximum: 1_048_576 },
      'Longest SIP message, head and body together; a longer one gets 513, a longer body 413.',
    ).prefault('65535'),
    'header-bytes': integer(
      { minimum: 1024, maximum: 262_144 },
      'Longest start line and header fields together; more gets 513.',
    ).prefault('16384'),
    'pending-transactions': integer(
      { minimum: 16, maximum: 1_000_000 },
      'Requests without final answer, per interface: strangers are refused from half as many on, requests inside calls from twice as many on. Answered ones, kept 32 s for their repeats, are bounded by the twentyfold.',
    ).prefault('10000'),
    'stream-connections': integer(
      { minimum: 1, maximum: 100_000 },
      'Open stream connections of one SIP port.',
    ).prefault('4096'),
    'stream-connections-per-source': integer(
      { minimum: 1, maximum: 100_000 },
      'The same of one source that is no session agent; further ones are closed at once.',
    ).prefault('64'),
    'stream-idle-timeout': duration(
      { minimumMs: 1000, maximumMs: 86_400_000 },
      'A stream connection without any byte for this long is closed; keep-alives count.',
    ).prefault('15m'),
    'source-per-second': integer(
      RATE,
      'Messages per second of one source (IPv4 address or IPv6 /64) that is neither session agent nor in an `allow` network; more are dropped unread unless they belong to a call. 0: unlimited.',
    ).prefault('200'),
    'source-burst': integer(BURST, 'So many messages of one source may come at once.').prefault(
      '1000',
    ),
    'agent-per-second': integer(
      RATE,
      'The same for one session agent or address of an `allow` network; bounded since an address can be forged. 0: unlimited.',
    ).prefault('1000'),
    'agent-burst': integer(
      BURST,
      'So many messages of one session agent may come at once.',
    ).prefault('4000'),
    'strangers-per-second': integer(
      RATE,
      'Messages per second of all sources together that are no session agents, for a flood from many addresses. 0: unlimited.',
    ).prefault('400'),
    'strangers-burst': integer(BURST, 'So many messages of all of them may come at once.').prefault(
      '2000',
    ),
  })
  .transform((raw): SipLimits => ({
    messageBytes: raw['message-bytes'],
    headerBytes: raw['header-bytes'],
    pendingTransactions: raw['pending-transactions'],
    streamConnections: raw['stream-connections'],
    streamConnectionsPerSource: raw['stream-connections-per-source'],
    streamIdleTimeoutMs: raw['stream-idle-timeout'],
    source: { perSecond: raw['source-per-second'], burst: raw['source-burst'] },
    agent: { perSecond: raw['agent-per-second'], burst: raw['agent-burst'] },
    strangers: { perSecond: raw['strangers-per-second'], burst: raw['strangers-burst'] },
  }));
