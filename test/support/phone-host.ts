/** A phone with telephone-events on a host of its own: calls, answers, presses keys and tells what it heard. */
import { Rfc2833Trunk, type TrunkCall } from './rfc2833-trunk.ts';
import { serveJson } from './json-process.ts';
import { SEQUENCE_MODULUS, wrapDistance } from './rtp-packet.ts';

/** What the phone knows of its call. */
export interface PhoneReport {
  readonly packets: number;
  readonly digits: string;
  /** Sources (SSRC) of the RTP it received. */
  readonly sources: number;
  /** Sequence numbers that were left out or came twice; a packet may overtake another one. */
  readonly irregular: number;
}

/** Of SIP; media has a port of its own. */
export const PHONE_PORT = 5060;

const HELD_BACK_PACKETS = 20;

const [, , address = ''] = process.argv;
const phone = await Rfc2833Trunk.open({ address, port: PHONE_PORT });
let call: TrunkCall | undefined;

function current(): TrunkCall {
  if (call === undefined) throw new Error('there is no call');
  return call;
}

function numbersOf(
  packets: readonly { readonly ssrc: number; readonly sequenceNumber: number }[],
): Pick<PhoneReport, 'sources' | 'irregular'> {
  const first = packets[0]?.sequenceNumber ?? 0;
  const distances = packets
    .map(({ sequenceNumber }) => wrapDistance(first, sequenceNumber, SEQUENCE_MODULUS))
    .toSorted((one, other) => one - other);
  // The last ones may have overtaken others that are still under way.
  const settled = distances.slice(0, -HELD_BACK_PACKETS);
  const irregular = settled.filter((distance, index) => distance !== index + (settled[0] ?? 0));
  return { sources: new Set(packets.map(({ ssrc }) => ssrc)).size, irregular: irregular.length };
}

async function carryOut(command: Record<string, unknown>): Promise<unknown> {
  switch (command['type']) {
    case 'call':
      call = await phone.call({
        to: '5551000',
        via: { address: String(command['via']), port: PHONE_PORT },
      });
      return undefined;
    case 'answer':
      call = await phone.answer();
      return undefined;
    case 'press':
      return await current().press(String(command['digits']));
    case 'report':
      return {
        packets: current().rtp.received.length,
        digits: current().digits,
        ...numbersOf(current().rtp.received),
      } satisfies PhoneReport;
    case 'hang up':
      await current().hangUp();
      return undefined;
    default:
      throw new Error(`no such command: ${JSON.stringify(command)}`);
  }
}

serveJson(carryOut, () => void phone.close());
