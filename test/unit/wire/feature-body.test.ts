import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatFeatureBody, formatReport } from '../../../src/wire/feature-body.ts';
import { FEATURES } from '../../../src/wire/feature-event.ts';
import type { FeatureReport } from '../../../src/wire/feature-event.ts';
import { isForwardTarget } from '../../../src/wire/feature-documents.ts';
import { readFeatureReports } from '../../../src/wire/feature-reports.ts';

const OPTIONS = {
  device: '7659366',
  boundary: 'dfks-5f0c2e9a71b3d846',
  partHeads: 'type',
} as const;

const FULL: readonly FeatureReport[] = [
  { feature: 'DoNotDisturb', status: false },
  { feature: 'CallForwardingAlways', status: true, forwardTo: '2424' },
  { feature: 'CallForwardingBusy', status: false },
  { feature: 'CallForwardingNoAnswer', status: false, forwardTo: '2002', ringCount: 3 },
];

const NS = 'xmlns="http://www.ecma-international.org/standards/ecma-323/csta/ed3"';
const DECLARATION = '<?xml version="1.0" encoding="ISO-8859-1"?>\n';

describe('the body of a NOTIFY', () => {
  test('is multipart for all four features, 1400 bytes as in the example', () => {
    const { contentType, body } = written(FULL);
    expect(contentType).toBe('multipart/mixed;boundary=dfks-5f0c2e9a71b3d846');
    expect(Buffer.byteLength(body)).toBe(1400);
    const part =
      '--dfks-5f0c2e9a71b3d846\r\nContent-Type: application/x-as-feature-event+xml\r\n\r\n';
    expect(body.split(part).slice(1)).toEqual([
      `${DECLARATION}<DoNotDisturbEvent ${NS}><device>7659366</device><doNotDisturbOn>false</doNotDisturbOn></DoNotDisturbEvent>\r\n`,
      `${DECLARATION}<ForwardingEvent ${NS}><device>7659366</device><forwardingType>forwardImmediate</forwardingType><forwardStatus>true</forwardStatus><forwardTo>2424</forwardTo></ForwardingEvent>\r\n`,
      `${DECLARATION}<ForwardingEvent ${NS}><device>7659366</device><forwardingType>forwardBusy</forwardingType><forwardStatus>false</forwardStatus></ForwardingEvent>\r\n`,
      `${DECLARATION}<ForwardingEvent ${NS}><device>7659366</device><forwardingType>forwardNoAns</forwardingType><forwardStatus>false</forwardStatus><forwardTo>2002</forwardTo><ringCount>3</ringCount></ForwardingEvent>\r\n--dfks-5f0c2e9a71b3d846--\r\n`,
    ]);
  });

  test('is plain for one feature', () => {
    expect(written(FULL.slice(0, 1))).toEqual({
      contentType: 'application/x-as-feature-event+xml',
      body: `${DECLARATION}<DoNotDisturbEvent ${NS}><device>7659366</device><doNotDisturbOn>false</doNotDisturbOn></DoNotDisturbEvent>`,
    });
  });

  test('is absent when there is nothing to report', () => {
    expect(formatFeatureBody([], OPTIONS)).toBeUndefined();
  });

  test('gives each part its length where a phone wants it', () => {
    const { body } = written(FULL, { partHeads: 'type-length' });
    const [first = ''] = FULL.map((report) => formatReport(report, '7659366'));
    expect(body).toContain(`+xml\r\nContent-Length: ${first.length}\r\n\r\n${first}\r\n--dfks`);
  });

  test('never has its boundary inside a document', () => {
    const reports = FULL.map((report) => ({ ...report, forwardTo: 'dfks-5f0c2e9a71b3d846' }));
    const { contentType, body } = written(reports);
    const [, boundary = ''] = contentType.split('boundary=');
    expect(body.split(boundary)).toHaveLength(6);
    expect(readFeatureReports(contentType, Buffer.from(body))).toHaveLength(4);
  });

  test.each([
    ['Müller', 'M&#252;ller'],
    ['😀', '&#128512;'],
    ['\u007F', '&#127;'],
    ['sip:a&b<c>@x;p="1"', 'sip:a&amp;b&lt;c&gt;@x;p=&quot;1&quot;'],
  ])('writes %s as %s', (forwardTo, text) => {
    const document = formatReport({ feature: 'CallForwardingBusy', status: true, forwardTo }, 'ä');
    expect(document).toContain(`<forwardTo>${text}</forwardTo>`);
    expect(document).toContain('<device>&#228;</device>');
  });

  const target = fc
    .string({ unit: 'binary', minLength: 1, maxLength: 256 })
    .map((text) => text.trim())
    .filter((text) => text.isWellFormed() && isForwardTarget(text) && !/[\uFFFE\uFFFF]/.test(text));
  const report = fc.record(
    {
      feature: fc.constantFrom(...FEATURES),
      status: fc.boolean(),
      forwardTo: fc.oneof(target, fc.constantFrom('Müller', '😀', `&<>"'`, ']]>', '&#65;')),
      ringCount: fc.integer({ min: 0, max: 20 }),
    },
    { requiredKeys: ['feature', 'status'] },
  );

  test('is read back as it was written, all of it in ASCII', () => {
    fc.assert(
      fc.property(fc.array(report, { minLength: 1, maxLength: 6 }), target, (reports, device) => {
        const { contentType, body } = written(reports, { device });
        expect(body).toMatch(/^[\n\r\u0020-\u007E]*$/);
        expect(readFeatureReports(contentType, Buffer.from(body))).toEqual(reports.map(expected));
      }),
    );
  });
});

function written(reports: readonly FeatureReport[], options: object = {}) {
  const body = formatFeatureBody(reports, { ...OPTIONS, ...options });
  if (body === undefined) throw new Error('expected a body');
  return body;
}

/** What a document of this feature can say. */
function expected({ feature, status, forwardTo, ringCount }: FeatureReport): FeatureReport {
  const isForwarding = feature !== 'DoNotDisturb';
  const isNoAnswer = feature === 'CallForwardingNoAnswer';
  return {
    feature,
    status,
    ...(isForwarding && forwardTo !== undefined ? { forwardTo } : {}),
    ...(isNoAnswer && ringCount !== undefined ? { ringCount } : {}),
  };
}
