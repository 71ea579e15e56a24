import { afterAll, expect, test } from 'vitest';
import { formatHttpReference } from '../../support/http-reference.ts';
import { openFeatureApi, type FeatureApi } from './feature-stage.ts';

const HEAD = `# HTTP API

Every route below the address of \`api.listen\`, made from the OpenAPI 3.1 document that the SBC itself serves at \`/openapi.json\`; a
program should read that one, it has the shapes of all answers.

- Reading needs no token from loopback; elsewhere, and for every change where a token is configured, \`Authorization: Bearer TOKEN\`
  with \`api.token\` is required. Without a token only loopback is served. Foreign web pages are refused.
- Answers are JSON; lists are bare arrays. A failure is \`{ "error", "message" }\`; of features, subscriptions, events and \`/mi\`
  \`{ "error": { "code", "message" } }\`.
- A method that a resource does not have gets 405, with those it has in \`Allow\`.
- \`/healthz\` and \`/readyz\` are open to all; details only for those who may read. \`/metrics\` is Prometheus text ([metrics](metrics.md)).
- Digits and credentials are masked everywhere unless \`dtmf.mask-digits: false\` shows digits.

\`\`\`sh
curl http://127.0.0.1:8080/healthz
curl http://127.0.0.1:8080/api/v1/calls
curl "http://127.0.0.1:8080/api/v1/calls?state=ended&limit=10"
curl http://127.0.0.1:8080/api/v1/agents
curl http://127.0.0.1:8080/openapi.json
curl -N "http://127.0.0.1:8080/api/v1/events?topics=calls,digits"
\`\`\`
`;

const open: FeatureApi[] = [];

afterAll(async () => {
  await Promise.all(open.map((api) => api.close()));
});

test('docs/http-api.md is what the OpenAPI document says; `npm run docs` writes it', async () => {
  const api = await openFeatureApi();
  open.push(api);
  const { body } = await api.ask('GET', '/openapi.json');
  await expect(formatHttpReference(body, HEAD)).toMatchFileSnapshot('../../../docs/http-api.md');
});
