/** Thread of a feature database: opens the file, answers requests in turn. */

import { parentPort, workerData } from 'node:worker_threads';
import { openDatabaseFile, openToRead } from './sqlite-file.ts';
import type { SqliteRequest, SqliteResults, SqliteWorkerOptions } from './sqlite-protocol.ts';
import { SqliteTables } from './sqlite-tables.ts';
import type { FromThread, ToThread } from './thread-protocol.ts';

type Answer = SqliteResults[keyof SqliteResults];

const options: SqliteWorkerOptions = workerData;

function post(message: FromThread): void {
  parentPort?.postMessage(message, []);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function answer(tables: SqliteTables, request: SqliteRequest): Answer {
  let result: Answer;
  switch (request.type) {
    case 'get':
      result = tables.get(request.presentity);
      break;
    case 'set':
      result = tables.set(request.set);
      break;
    case 'configure':
      result = tables.configure(request.configure);
      break;
    case 'remember':
      result = tables.remember(request.sighting);
      break;
    case 'add':
      result = tables.add(request.row);
      break;
    case 'list':
      result = tables.list(request.presentity, request.query);
      break;
    case 'prune':
      result = tables.prune(request.before);
      break;
    case 'close':
      result = tables.close();
      break;
  }
  return result;
}

function serve(): void {
  const { file, access } = options;
  const tables = new SqliteTables(access === 'write' ? openDatabaseFile(file) : openToRead(file));
  parentPort?.on('message', (message: ToThread<SqliteRequest>) => {
    if (message.type === 'ping') post({ type: 'pong' });
    if (message.type !== 'request') return;
    const { id, request } = message;
    try {
      post({ type: 'done', id, result: answer(tables, request) });
    } catch (error) {
      post({ type: 'failed', id, message: messageOf(error) });
    }
  });
  post({ type: 'ready' });
}

try {
  serve();
} catch (error) {
  post({ type: 'unusable', message: messageOf(error) });
}
