import fc from 'fast-check';
import { expect, test } from 'vitest';
import { hideSources } from '../../../src/media/rtcp-descriptions.ts';
import { newNameKey, renameWith } from '../../../src/media/source-name.ts';
import { isRtcp } from '../../../src/wire/rtcp.ts';
import { CALLEE, CALLER, VirtualCall } from './virtual-call.ts';

const RECEIVER_REPORT = Buffer.from('80c9000100001111', 'hex');

function item(type: number, text: string): Buffer {
  return Buffer.concat([Buffer.from([type, text.length]), Buffer.from(text, 'latin1')]);
}

function chunk(ssrc: number, ...items: readonly Buffer[]): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt32BE(ssrc);
  const body = Buffer.concat([head, ...items]);
  return Buffer.concat([body, Buffer.alloc(4 - (body.length % 4))]);
}

function description(...chunks: readonly Buffer[]): Buffer {
  const body = Buffer.concat(chunks);
  const head = Buffer.from([0x80 | chunks.length, 202, 0, body.length / 4]);
  return Buffer.concat([head, body]);
}

function hidden(compound: Buffer, key = 'key'): Buffer {
  const copy = Buffer.from(compound);
  hideSources(copy, renameWith(key));
  return copy;
}

function textAt(bytes: Buffer, start: number, length: number): string {
  return bytes.toString('latin1', start, start + length);
}

const NAME = 'alice@192.168.1.7';

test('a CNAME becomes another one of the same length, the same one in every stream of the call', () => {
  const audio = hidden(Buffer.concat([RECEIVER_REPORT, description(chunk(1, item(1, NAME)))]));
  const video = hidden(description(chunk(2, item(1, NAME))));
  const name = textAt(audio, 18, NAME.length);

  expect(name).toMatch(/^[0-9a-f]{17}$/);
  expect(audio.subarray(0, 18)).toEqual(
    Buffer.concat([RECEIVER_REPORT, description(chunk(1, item(1, NAME)))]).subarray(0, 18),
  );
  expect(textAt(video, 10, NAME.length)).toBe(name);
  expect(textAt(hidden(description(chunk(2, item(1, NAME))), 'other'), 10, 17)).not.toBe(name);
  expect(newNameKey()).not.toBe(newNameKey());
});

test('a long name is as long afterwards, an empty one stays empty', () => {
  const long = hidden(description(chunk(1, item(1, 'x'.repeat(255)))));
  expect(textAt(long, 10, 255)).toMatch(/^[0-9a-f]{255}$/);
  const empty = description(chunk(1, item(1, '')));
  expect(hidden(empty)).toEqual(empty);
});

test('what else names the source is blanked in every chunk; identifiers of streams stay', () => {
  const naming = [2, 3, 4, 5, 6, 7, 9].map((type) => item(type, 'secret'));
  const bytes = hidden(
    description(
      chunk(1, item(1, NAME), ...naming, item(15, 'mid0')),
      chunk(2, item(8, '\u0003foosecret'), item(6, 'secret')),
    ),
  );

  const text = bytes.toString('latin1');
  expect(text).not.toContain('secret');
  expect(text).not.toContain('foo');
  expect(text).toContain('\u000f\u0004mid0');
  expect(text).toContain('\u0008\u000a\u0000         ');
});

test('an item that is longer than its packet is blanked as far as it goes', () => {
  const bytes = description(chunk(1, item(2, 'secret')));
  bytes.writeUInt8(200, 9);
  expect(hidden(bytes).toString('latin1')).not.toContain('secret');
});

test('names beyond those of a mixer cost nothing', () => {
  const many = Array.from({ length: 31 }, (_, ssrc) => chunk(ssrc, item(1, 'a@b')));
  const compound = Buffer.concat([description(...many), description(...many)]);
  let calls = 0;
  hideSources(compound, (name) => {
    calls += 1;
    return Buffer.alloc(name.length, 'x');
  });
  expect(calls).toBe(16);
  expect(compound.toString('latin1')).not.toContain('a@b');
});

test('any bytes keep their length and their reports', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 120 }), fc.nat(31), (body, count) => {
      const padded = Buffer.concat([Buffer.from(body), Buffer.alloc(-body.length & 3)]);
      const head = Buffer.from([0x80 | count, 202, 0, padded.length / 4]);
      const compound = Buffer.concat([RECEIVER_REPORT, head, padded]);
      const after = hidden(compound);
      expect(isRtcp(after)).toBe(true);
      expect(after.subarray(0, 12)).toEqual(compound.subarray(0, 12));
    }),
  );
});

test('the relay renames what crosses in the clear, and leaves SRTCP alone', () => {
  for (const transport of ['rtp', 'srtp'] as const) {
    const call = new VirtualCall({ caller: { transport }, callee: { transport } });
    const packet = Buffer.concat([RECEIVER_REPORT, description(chunk(0x1111, item(1, NAME)))]);
    const before = Buffer.from(packet);
    const source = { ...CALLER, port: CALLER.port + 1 };
    expect(call.relay.receiveRtcp('caller', packet, source)).toBe('forward');
    expect(packet.equals(before)).toBe(transport === 'srtp');
    expect(call.relay.rtcpDestination('callee')).toMatchObject({ port: CALLEE.port + 1 });
  }
});
