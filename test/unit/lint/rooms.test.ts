import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FENCED_PACKAGES, PURE_ROOMS, ROOM_IMPORTS } from '../../../lint/rooms.ts';

const reportSchema = z.object({
  diagnostics: z.array(
    z.object({ filename: z.string(), message: z.string(), help: z.string().optional() }),
  ),
});

const ROOT = resolve(import.meta.dirname, '../../..');

/** One deliberate violation: the file it stands in, its text, and what the linter must say. */
interface Violation {
  readonly file: string;
  readonly text: string;
  readonly message: string;
}

function violations(): Violation[] {
  const rooms = Object.keys(ROOM_IMPORTS);
  const list: Violation[] = [];
  for (const [room, allowed] of Object.entries(ROOM_IMPORTS)) {
    for (const other of rooms) {
      if (other === room || allowed.includes(other)) continue;
      list.push({
        file: `src/${room}/imports-${other}.ts`,
        text: `import { x } from '../${other}/x.ts';\nexport const y = x;\n`,
        message: `${room} may not import ${other}`,
      });
    }
  }
  for (const room of PURE_ROOMS) {
    list.push(
      {
        file: `src/${room}/reads-files.ts`,
        text: `import { readFileSync } from 'node:fs';\nexport const y = readFileSync;\n`,
        message: `${room} is pure`,
      },
      {
        file: `src/${room}/waits.ts`,
        text: `import { setTimeout } from 'node:timers/promises';\nexport const y = setTimeout;\n`,
        message: `${room} is pure`,
      },
      {
        file: `src/${room}/looks-at-the-clock.ts`,
        text: 'export const y = Date.now();\n',
        message: "Unexpected use of 'Date'",
      },
    );
  }
  for (const [name, adapter] of Object.entries(FENCED_PACKAGES)) {
    list.push({
      file: `src/call/uses-${name}.ts`,
      text: `import * as library from '${name}';\nexport const y = library;\n`,
      message: `${name} has one adapter`,
    });
    expect(adapter).toMatch(/^src\//);
  }
  return list;
}

describe('the folder rule', () => {
  const list = violations();
  let folder = '';
  let output = '';

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'rooms-'));
    for (const { file, text } of list) {
      mkdirSync(join(folder, dirname(file)), { recursive: true });
      writeFileSync(join(folder, file), text);
    }
    for (const name of ['oxlint.config.ts', 'lint', 'node_modules', 'tsconfig.json']) {
      symlinkSync(join(ROOT, name), join(folder, name));
    }
    const run = spawnSync(join(ROOT, 'node_modules/.bin/oxlint'), ['-f', 'json', 'src'], {
      cwd: folder,
      encoding: 'utf8',
    });
    output = run.stdout;
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test.each(list)('$file is reported: $message', ({ file, message }) => {
    const texts = reportSchema
      .parse(JSON.parse(output))
      .diagnostics.filter(({ filename }) => filename === file)
      .map(({ message: text, help }) => `${text} ${help ?? ''}`);
    expect(texts.join('\n')).toContain(message);
  });
});
