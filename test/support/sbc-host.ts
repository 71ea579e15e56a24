/** A whole SBC on a host of its own, which tells what its HTTP interface says. */
import { readFile } from 'node:fs/promises';
import { serveJson } from './json-process.ts';
import { startFromText } from './start-sbc.ts';

const [, , file = ''] = process.argv;
const errors: string[] = [];
const sbc = await startFromText(await readFile(file, 'utf8'), errors);

serveJson(
  async ({ path }) => {
    const { address, port } = sbc.apiAddress;
    const answer = await fetch(`http://${address}:${port}${String(path)}`);
    return await answer.text();
  },
  () => void sbc.close(),
);
