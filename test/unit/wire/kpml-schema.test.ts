import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { formatKpmlRequest } from '../../../src/wire/kpml-request.ts';
import { formatKpmlResponse } from '../../../src/wire/kpml-response.ts';
import { fullRequest, ourRequest, ourResponse } from './kpml-samples.ts';

// xmllint comes with libxml2-utils; a machine without it shows these tests as skipped.
describe.runIf(hasXmllint())('against the schemas of RFC 4730', () => {
  test.each([
    ['our request', 'kpml-request.xsd', formatKpmlRequest(ourRequest)],
    ['a full request', 'kpml-request.xsd', formatKpmlRequest(fullRequest)],
    ['our response', 'kpml-response.xsd', formatKpmlResponse(ourResponse)],
    [
      'a response without keys',
      'kpml-response.xsd',
      formatKpmlResponse({ code: 481, text: 'x', isSuppressed: false, isForcedFlush: true }),
    ],
  ])('%s is valid', (_name, schema, text) => {
    expect(validate(schema, text)).toBe('');
  });

  test('the check can fail', () => {
    expect(validate('kpml-response.xsd', '<kpml-response/>')).not.toBe('');
  });
});

function hasXmllint(): boolean {
  return spawnSync('xmllint', ['--version']).error === undefined;
}

/** What xmllint complains of; empty when `text` is valid. */
function validate(schema: string, text: string): string {
  const path = fileURLToPath(new URL(`../../fixtures/kpml/${schema}`, import.meta.url));
  const run = spawnSync('xmllint', ['--noout', '--nonet', '--schema', path, '-'], { input: text });
  return run.status === 0 ? '' : run.stderr.toString();
}
