/**
 * The console at `/`: its page, its scripts below `/console/`, and the libraries these import, all read once when the
 * first server starts. Files are open to everybody, what they show is not.
 *
 * The page's import map is the only inline script there is; its hash stands in the policy (CSP Level 3 §8.2).
 */
import { createHash } from 'node:crypto';
import { readFile, readdir } from 'node:fs/promises';
import type { FastifyInstance } from 'fastify';

const SCRIPT = 'text/javascript; charset=utf-8';

/** Types by the end of the name; other files are not served. */
const TYPES: Readonly<Record<string, string>> = {
  js: SCRIPT,
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
  html: 'text/html; charset=utf-8',
};
const SERVED_NAME = /^[\w-]+\.(js|css|svg)$/;

/** What the page imports by name, as the import map of index.html has it. */
const LIBRARIES: Readonly<Record<string, string>> = {
  'preact.js': 'preact',
  'preact-hooks.js': 'preact/hooks',
  'htm.js': 'htm',
  'uplot.js': 'uplot/dist/uPlot.esm.js',
  'uplot.css': 'uplot/dist/uPlot.min.css',
};

const IMPORT_MAP = /<script type="importmap">(?<text>[^]*?)<\/script>/;

interface ServedFile {
  readonly url: string;
  readonly type: string;
  readonly content: Buffer;
  readonly etag: string;
}

interface ConsoleFiles {
  readonly files: readonly ServedFile[];
  readonly headers: Readonly<Record<string, string>>;
}

/** Read once per process, however many servers it starts. */
let reading: Promise<ConsoleFiles> | undefined;

/** Adds the page and all it needs; resolves when the files are read. */
export async function addConsole(app: FastifyInstance): Promise<void> {
  const { files, headers } = await (reading ??= readConsole());
  for (const { url, type, content, etag } of files) {
    app.get(url, { config: { isOpen: true }, schema: { hide: true } }, async (request, reply) => {
      reply.headers({ ...headers, ETag: etag }).type(type);
      if (request.headers['if-none-match'] === etag) return await reply.code(304).send();
      return await reply.send(content);
    });
  }
}

async function readConsole(): Promise<ConsoleFiles> {
  const folder = new URL('./console/', import.meta.url);
  const names = (await readdir(folder)).filter((name) => SERVED_NAME.test(name));
  const [page, ...others] = await Promise.all([
    readServed('/', new URL('index.html', folder)),
    ...names.map((name) => readServed(`/console/${name}`, new URL(name, folder))),
    ...Object.entries(LIBRARIES).map(([name, specifier]) =>
      readServed(`/console/vendor/${name}`, new URL(import.meta.resolve(specifier))),
    ),
  ]);
  return { files: [page, ...others], headers: secureHeaders(page.content.toString()) };
}

async function readServed(url: string, file: URL): Promise<ServedFile> {
  const type = TYPES[file.pathname.slice(file.pathname.lastIndexOf('.') + 1)] ?? SCRIPT;
  const content = await readFile(file);
  const etag = `"${createHash('sha256').update(content).digest('base64url').slice(0, 22)}"`;
  return { url, type, content, etag };
}

/** @param page its text, with the import map that the policy lets run. */
function secureHeaders(page: string): Readonly<Record<string, string>> {
  const importMap = IMPORT_MAP.exec(page)?.groups?.['text'] ?? '';
  const hash = createHash('sha256').update(importMap).digest('base64');
  const policy = [
    "default-src 'none'",
    `script-src 'self' 'sha256-${hash}'`,
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ];
  return {
    'Cache-Control': 'no-cache',
    'Content-Security-Policy': policy.join('; '),
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Referrer-Policy': 'no-referrer',
    'Permissions-Policy': 'camera=(), microphone=(), geolocation=()',
    'X-Content-Type-Options': 'nosniff',
    'X-Frame-Options': 'DENY',
  };
}
