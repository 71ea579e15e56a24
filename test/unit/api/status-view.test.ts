import { expect, test } from 'vitest';
import { mediaSideView } from '../../../src/api/status-view.ts';
import { configOf, edited } from '../config/sample.ts';

const NODE = { name: '192.0.2.1:2223', isUp: false, calls: 3 };

test('our own relay has ports and a way to move packets; a realm without streams has all of its ports', () => {
  const portsFree = { access: 499 };
  expect(mediaSideView(configOf(edited()), { portsFree }, 'ffi+kernel')).toEqual({
    engine: 'relay',
    io: 'auto',
    ioInUse: 'ffi+kernel',
    ports: [
      { pool: 'access', free: 499, total: 500 },
      { pool: 'core', free: 500, total: 500 },
    ],
  });
});

test('rtpengine has nodes, and neither ports of ours nor packets in this process', () => {
  const text = `media: { engine: rtpengine, rtpengine: [ { host: 192.0.2.1 } ] }\n${edited()}`;
  const resting = { ...NODE, isUp: true, isResting: true };
  const media = { portsFree: {}, engineNodes: [NODE, resting] };
  expect(mediaSideView(configOf(text), media, undefined)).toEqual({
    engine: 'rtpengine',
    io: 'auto',
    nodes: [NODE, resting],
    ports: [],
  });
});
