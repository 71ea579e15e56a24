/**
 *   stranger          SBC             bob
 *     | torture        |                |
 *     |--------------->|    INVITE      |   only what is well-formed and admitted goes on
 *     |                |--------------->|
 *     |   4xx, 5xx,    |            486 |
 *     |   silence, 486 |<---------------|
 *     |<---------------|                |
 *     | OPTIONS        |                |
 *     |--------------->|  200, no call left, no bug counted
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { formatSipMessage, getHeader, parseSipMessage } from '../../src/wire/sip-message.ts';
import type { SipMessage } from '../../src/wire/sip-message.ts';
import { parseSipUri } from '../../src/wire/sip-uri.ts';
import { expectNothingLeft, openCallStage, shareSbcInFile } from '../support/call-stage.ts';
import type { CallStage } from '../support/call-stage.ts';
import { checkLeaksAfterEach, closeAfterTest } from '../support/leak-check.ts';
import type { Closable } from '../support/leak-check.ts';
import type { SipTarget } from '../support/sip-peer.ts';
import { statusOf } from '../support/sip-text.ts';
import { waitFor } from '../support/wait-for.ts';

type Protocol = 'udp' | 'tcp';

/** The final statuses in rising order. 486 is bob's: the message was relayed. Empty: silence. */
type Outcome = string;

interface Entry {
  readonly file: string;
  /** The class of answer the manifest asks for. */
  readonly wanted: string;
}

interface Correction {
  readonly files: readonly string[];
  /** Absent: both. */
  readonly over?: Protocol;
  readonly outcomes: readonly Outcome[];
  readonly why: string;
}

const DATA = new URL('../../../shared/data/', import.meta.url);
const SILENCE = '';
const RELAYED = '486';

/** The classes of the manifests that are no status of their own. */
const CLASSES: Readonly<Record<string, readonly Outcome[]>> = {
  accept: ['200', RELAYED],
  '400-or-accept': ['400', '200', RELAYED],
  'accept/400/404': ['200', '400', '404'],
  'reject-400': ['400'],
  'response-ok': [SILENCE],
  drop: [SILENCE],
};

/** Where an SBC that is no registrar and keeps dialogs answers otherwise than the manifests say. */
const CORRECTIONS: readonly Correction[] = [
  {
    files: ['escnull', 'unksm2', 'regaut01', 'cparam01', 'cparam02', 'regescrt', 'ipv6-good'],
    outcomes: ['405'],
    why: 'REGISTER: no registrar here, so nobody to authenticate to either (RFC 3261 §8.2.1)',
  },
  {
    files: ['port-ambiguous', 'port-unambiguous'],
    outcomes: ['405'],
    why: 'REGISTER as well; the ports are read right, see the tests of the URI (RFC 5118 §4.3, §4.4)',
  },
  {
    files: ['dblreq'],
    over: 'udp',
    outcomes: ['405'],
    why: 'REGISTER; the INVITE behind it is no part of the datagram (RFC 3261 §18.3)',
  },
  {
    files: ['dblreq'],
    over: 'tcp',
    outcomes: ['400', '400 405'],
    why: 'a second message on a stream: an INVITE without Contact (§8.1.1.8); what follows it closes the connection',
  },
  {
    files: ['mpart01'],
    outcomes: ['405'],
    why: 'MESSAGE is relayed in dialogs only (RFC 3261 §8.2.1)',
  },
  {
    files: ['wsinv', 'via-received-param-with-delim', 'mult-ip-in-header'],
    outcomes: ['481'],
    why: 'names a dialog nobody has here (RFC 3261 §12.2.2)',
  },
  {
    files: ['inv2543'],
    outcomes: ['400'],
    why: 'without Contact no dialog can be kept; on a stream the length is missing too (§8.1.1.8, §20.14)',
  },
  {
    files: ['ipv6-in-sdp'],
    outcomes: ['488'],
    why: 'media over IPv6, which the realm of this leg does not have (RFC 3261 §20.43, 300)',
  },
  {
    files: ['clerr', 'baddn'],
    over: 'tcp',
    outcomes: [SILENCE],
    why: 'a stream waits for the rest of the body or head (RFC 4475 §3.1.2.2)',
  },
];

function entries(folder: string): Entry[] {
  const manifest = new URL(`${folder}/manifest.json`, DATA);
  if (!existsSync(manifest)) return [];
  const list: unknown = JSON.parse(readFileSync(manifest, 'utf8'));
  if (!Array.isArray(list)) throw new TypeError('expected a list of files');
  return list.map((entry: Record<string, unknown>) => ({
    file: `${folder}/${String(entry['file'])}`,
    wanted: String(entry['expectAtUas'] ?? entry['expect']),
  }));
}

/** The outcomes that are right for a file, that with the fewest answers first. */
function rightOutcomes({ file, wanted }: Entry, protocol: Protocol): readonly Outcome[] {
  const corrected = CORRECTIONS.find(
    ({ files, over = protocol }) => over === protocol && files.includes(nameOf(file)),
  );
  if (corrected !== undefined) return corrected.outcomes;
  // Some classes of RFC 5118 go on with a remark.
  const [name = ''] = wanted.split(';', 1);
  if (name.startsWith('tolerate')) return ['400', '200'];
  return CLASSES[name] ?? name.split('/');
}

function nameOf(file: string): string {
  return file.replace(/^.*\//, '').replace('.dat', '');
}

/**
 * The bytes of a file with a Call-ID and branch of its own, since some files share theirs and a copy on another way
 * is a loop, and with rport, since an answer to the default port would reach nobody.
 */
function messageOf(file: string, protocol: Protocol): Buffer {
  const mark = protocol + file.replaceAll(/\W/g, '');
  const text = readFileSync(new URL(file, DATA), 'latin1')
    .replace(/^(call-id|i)([ \t]*:[ \t]*)/im, `$1$2${mark}-`)
    .replace(/z9hG4bK(?=[^\s;,])/, `z9hG4bK${mark}.`)
    .replace(/^((?:via|v)[ \t]*:(?:[^\r\n,]|\r\n[ \t])*)/im, '$1;rport');
  return Buffer.from(text, 'latin1');
}

/** A socket that sends bytes and keeps the texts of what comes back. */
interface Stranger extends Closable {
  readonly received: string[];
  send(bytes: Buffer): Promise<void>;
}

async function openStranger(protocol: Protocol, to: SipTarget): Promise<Stranger> {
  const received: string[] = [];
  if (protocol === 'udp') {
    const socket = createSocket('udp4').on('message', (bytes) => received.push(String(bytes)));
    socket.bind(0, '127.0.0.9');
    await once(socket, 'listening');
    return {
      received,
      send: (bytes) => new Promise((done) => socket.send(bytes, to.port, to.address, () => done())),
      close: () => new Promise((done) => socket.close(() => done(undefined))),
    };
  }
  const socket = connect({ port: to.port, host: to.address, localAddress: '127.0.0.9' });
  socket.on('data', (bytes) => received.push(...String(bytes).split(/(?=SIP\/2\.0 \d{3} )/)));
  await once(socket, 'connect');
  return {
    received,
    send: (bytes) => new Promise((done) => socket.write(bytes, () => done())),
    close: async () => {
      if (socket.closed) return;
      socket.destroy();
      await once(socket, 'close');
    },
  };
}

/** The final statuses among what came back, repeated ones once. */
function outcomeOf(texts: readonly string[]): Outcome {
  const statuses = texts.flatMap((text) => /^SIP\/2\.0 ([2-6]\d\d) /.exec(text)?.[1] ?? []);
  return [...new Set(statuses)].toSorted().join(' ');
}

/** Bob refuses whatever call has come to him. */
function refuseCalls({ bob }: CallStage): void {
  for (const call of bob.sip.incoming) if (!call.dialog.isEnded) call.reject(Number(RELAYED));
}

/** Sends the message of one file and waits for its answers; then the SBC must be as before. */
async function play(stage: CallStage, protocol: Protocol, entry: Entry): Promise<Outcome> {
  const { alice, bob, running } = stage;
  const [first = SILENCE] = rightOutcomes(entry, protocol);
  const callsBefore = bob.sip.incoming.length;
  const logBefore = bob.sip.log.length;
  const bytes = messageOf(entry.file, protocol);

  const stranger = closeAfterTest(await openStranger(protocol, running.access));
  await stranger.send(bytes);
  const isAnswered = (): boolean => {
    refuseCalls(stage);
    return countOf(outcomeOf(stranger.received)) >= countOf(first);
  };
  await waitFor(`answer to ${entry.file}`, isAnswered).catch(() => undefined);
  await checkUnharmed(stage, entry.file);

  const outcome = outcomeOf(stranger.received);
  const calls = bob.sip.incoming.length - callsBefore + alice.sip.incoming.length;
  expect([entry.file, calls]).toEqual([entry.file, outcome === RELAYED ? 1 : 0]);
  const received = bob.sip.log.slice(logBefore).filter(({ direction }) => direction === 'received');
  for (const { text } of received) checkRelayed(parseSipMessage(Buffer.from(text)), bytes);
  return outcome;
}

function countOf(outcome: Outcome): number {
  return outcome === SILENCE ? 0 : outcome.split(' ').length;
}

/** The SBC answers, holds nothing and has met no bug. */
async function checkUnharmed({ alice, running }: CallStage, file: string): Promise<void> {
  const probe = await alice.sip.request('OPTIONS', { user: 'x', via: running.access });
  await expectNothingLeft(running);
  const metrics = await fetch(`http://127.0.0.1:${running.api.port}/metrics`, {
    headers: { connection: 'close' },
  });
  const bugs = /^sbc_bugs_total (.*)$/m.exec(await metrics.text())?.[1];
  expect({ file, probe: statusOf(probe), bugs, errors: running.errors }).toEqual({
    file,
    probe: 200,
    bugs: '0',
    errors: [],
  });
}

/** What bob gets is sound, and the called user is spelt as it was; fields that may be malformed stay behind. */
function checkRelayed(relayed: SipMessage, original: Buffer): void {
  expect(parseSipMessage(formatSipMessage(relayed))).toEqual(relayed);
  if (relayed.type === 'response') return;
  const received = parseSipMessage(original);
  expect(received.type === 'request' && userOf(received.uri)).toBe(userOf(relayed.uri));
  for (const name of ['Date', 'Route', 'Record-Route', 'Accept']) {
    expect([name, getHeader(relayed, name)]).toEqual([name, undefined]);
  }
}

function userOf(uri: string): string | undefined {
  return parseSipUri(uri).user;
}

shareSbcInFile();
checkLeaksAfterEach();

const all = [...entries('rfc4475'), ...entries('rfc5118')];

describe.skipIf(all.length === 0)('the torture messages of RFC 4475 and RFC 5118', () => {
  test('every correction is about a file that is there', () => {
    const names = new Set(all.map(({ file }) => nameOf(file)));
    expect(all).toHaveLength(61);
    expect(CORRECTIONS.flatMap(({ files }) => files).filter((name) => !names.has(name))).toEqual(
      [],
    );
  });

  test.each(['udp', 'tcp'] as const)('over %s', async (protocol) => {
    const stage = await openCallStage();
    const wrong: string[] = [];

    for (const entry of all) {
      const right = rightOutcomes(entry, protocol);
      const outcome = await play(stage, protocol, entry);
      if (!right.includes(outcome))
        wrong.push(`${entry.file}: "${outcome}", not ${right.join(' or ')}`);
    }

    expect(wrong).toEqual([]);
  });
});
