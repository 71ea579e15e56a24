/** The files of the page, read once when the server starts. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { FastifyInstance } from 'fastify';

const SCRIPT = 'text/javascript; charset=utf-8';

/** Every file there is, by name and type; nothing else is ever read. */
const FILES: Readonly<Record<string, string>> = {
  'index.html': 'text/html; charset=utf-8',
  'portal.css': 'text/css; charset=utf-8',
  'sign-in.css': 'text/css; charset=utf-8',
  'icon.svg': 'image/svg+xml',
  'portal.webmanifest': 'application/manifest+json',
  'main.js': SCRIPT,
  'account-page.js': SCRIPT,
  'account-picker.js': SCRIPT,
  'client.js': SCRIPT,
  'dom.js': SCRIPT,
  'feature-row.js': SCRIPT,
  'history-list.js': SCRIPT,
  'live.js': SCRIPT,
  'neighbours.js': SCRIPT,
  'phone-list.js': SCRIPT,
  'sign-in.js': SCRIPT,
  'words.js': SCRIPT,
};

/** Serves them below the prefix of `app`, the page itself at the prefix. */
export async function addPortalFiles(app: FastifyInstance): Promise<void> {
  for (const [name, type] of Object.entries(FILES)) {
    const content = await readFile(new URL(`./portal-page/${name}`, import.meta.url));
    const etag = `"${createHash('sha256').update(content).digest('base64url').slice(0, 22)}"`;
    // Below a prefix, `/` is the prefix itself as well.
    const url = name === 'index.html' ? '/' : `/${name}`;
    app.get(url, { config: { isOpen: true }, schema: { hide: true } }, async (request, reply) => {
      reply.headers({ 'Cache-Control': 'no-cache', ETag: etag }).type(type);
      if (request.headers['if-none-match'] === etag) return await reply.code(304).send();
      return await reply.send(content);
    });
  }
}
