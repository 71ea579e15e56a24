/** The route about what happened in a call, in the forms that other programs read. */
import type { FastifyInstance, FastifyReply } from 'fastify';
import { formatLadder } from '../observe/ladder-format.ts';
import { mermaidLadder } from '../observe/ladder-mermaid.ts';
import { pcapLadder } from '../observe/ladder-pcap.ts';
import type { Ladder } from '../observe/ladder.ts';
import { prefersText } from './accept.ts';
import type { ApiBackend } from './backend.ts';
import { sendError } from './errors.ts';
import { describeRoute } from './openapi.ts';
import { ladderSchema } from './schemas.ts';

const FORMS = ['json', 'text', 'mermaid', 'pcap'] as const;
type Form = (typeof FORMS)[number];

interface Query {
  readonly format?: Form;
  readonly width?: number;
  readonly download?: boolean | 0 | 1;
}

interface Written {
  readonly type: string;
  /** End of the file's name. */
  readonly suffix: string;
  readonly body: string | Buffer;
}

const NO_CALL = 'there is no such call';

const querystring = {
  type: 'object',
  properties: {
    format: {
      type: 'string',
      enum: FORMS,
      description:
        'JSON, a drawing, a Mermaid diagram, or the SIP messages as pcap; by default as Accept says.',
    },
    width: { type: 'integer', minimum: 60, maximum: 400, description: 'Columns of the drawing.' },
    download: {
      anyOf: [{ type: 'boolean' }, { type: 'integer', enum: [0, 1] }],
      description: 'Answers with a file.',
    },
  },
};

const params = {
  type: 'object',
  properties: { id: { type: 'string', description: 'Our call id.' } },
  required: ['id'],
};

export function addLadderRoute(app: FastifyInstance, backend: ApiBackend): void {
  const schema = describeRoute({
    summary: 'What happened in a call: JSON, a drawing, a Mermaid diagram or pcap',
    answer: ladderSchema,
    canBeMissing: true,
  });
  app.get<{ Params: { id: string }; Querystring: Query }>(
    '/api/v1/calls/:id/ladder',
    { schema: { ...schema, params, querystring } },
    async ({ params: { id }, query, headers }, reply) => {
      const ladder = backend.ladder(id);
      if (ladder === undefined) return sendError(reply, 404, NO_CALL);
      reply.header('Vary', 'Accept');
      // The one form that has no place for it.
      reply.header('X-Dropped-Texts', String(ladder.droppedTexts));
      const form = query.format ?? (prefersText(headers.accept) ? 'text' : 'json');
      const { type, suffix, body } = WRITERS[form]({ id, ladder, width: query.width });
      if (query.download === true || query.download === 1) attach(reply, `call-${id}.${suffix}`);
      return reply.type(type).send(body);
    },
  );
}

interface Asked {
  readonly id: string;
  readonly ladder: Ladder;
  readonly width: number | undefined;
}

const WRITERS: Readonly<Record<Form, (asked: Asked) => Written>> = {
  json: ({ id: callId, ladder }) => ({
    type: 'application/json; charset=utf-8',
    suffix: 'json',
    body: JSON.stringify({ callId, ...ladder }),
  }),
  text: ({ ladder: { rows, ends: _ends, ...gaps }, width }) => ({
    type: 'text/plain; charset=utf-8',
    suffix: 'txt',
    body: formatLadder(rows, { ...gaps, ...(width === undefined ? {} : { width }) }),
  }),
  mermaid: ({ ladder }) => ({
    type: 'text/vnd.mermaid; charset=utf-8',
    suffix: 'mmd',
    body: mermaidLadder(ladder),
  }),
  pcap: ({ ladder }) => ({
    type: 'application/vnd.tcpdump.pcap',
    suffix: 'pcap',
    body: pcapLadder(ladder),
  }),
};

function attach(reply: FastifyReply, name: string): void {
  const safe = name.replaceAll(/[^\w.-]/g, '_');
  reply.header('Content-Disposition', `attachment; filename="${safe}"`);
}
