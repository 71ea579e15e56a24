import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { startEngineThread } from '../../src/engine/engine-thread.ts';
import { createLog } from '../../src/observe/log.ts';
import { watchHandshakes } from '../../src/sip-tls.ts';
import { checkLeaksAfterEach, closeAfterTest } from '../support/leak-check.ts';
import { tlsOwner } from '../support/tls-files.ts';
import { waitFor } from '../support/wait-for.ts';

checkLeaksAfterEach();

test('the log says who failed at a TLS port and why, and warns of servers only', async () => {
  const lines: string[] = [];
  const log = createLog('info', { write: (line: string) => lines.push(line) });
  const watch = watchHandshakes(log);
  const thread = closeAfterTest(
    await startEngineThread(
      [
        {
          name: 'access',
          listen: [{ protocol: 'tls', address: '127.0.0.1', port: 0 }],
          admin: { host: '127.0.0.1', port: 0 },
          secret: 'cymru',
          tls: tlsOwner('sbc'),
        },
      ],
      { onHandshakeFailed: watch },
    ),
  );
  const port = thread.engines[0]?.listenPoints[0]?.port ?? 0;

  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write('OPTIONS sip:sbc SIP/2.0\r\n\r\n');
  await once(socket, 'close');
  await waitFor('a line of the log', () => lines.length > 0);
  watch('core', { direction: 'outbound', remote: '192.0.2.1:5061', reason: 'expired' });

  const records = lines.map((line): unknown => JSON.parse(line));
  expect(records).toMatchObject([
    { level: 30, interface: 'access', direction: 'inbound', msg: 'TLS handshake failed' },
    { level: 40, interface: 'core', remote: '192.0.2.1:5061', reason: 'expired' },
  ]);
});
