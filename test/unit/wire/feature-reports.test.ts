import { describe, expect, test } from 'vitest';
import { readFeatureReports } from '../../../src/wire/feature-reports.ts';

const TYPE = 'application/x-as-feature-event+xml';
const NS = 'xmlns="http://www.ecma-international.org/standards/ecma-323/csta/ed3"';
const DND = `<DoNotDisturbEvent ${NS}><device>9995060044</device><doNotDisturbOn>true</doNotDisturbOn></DoNotDisturbEvent>`;
const ALWAYS = `<ForwardingEvent ${NS}><forwardingType>forwardImmediate</forwardingType><forwardStatus>true</forwardStatus><forwardTo>2424</forwardTo></ForwardingEvent>`;
const NO_ANSWER = `<ForwardingEvent ${NS}><device/><forwardingType>forwardNoAns</forwardingType><forwardStatus>false</forwardStatus><forwardTo></forwardTo><ringCount></ringCount></ForwardingEvent>`;

const DND_REPORT = { feature: 'DoNotDisturb', status: true };
const ALWAYS_REPORT = { feature: 'CallForwardingAlways', status: true, forwardTo: '2424' };
const NO_ANSWER_REPORT = { feature: 'CallForwardingNoAnswer', status: false };

function read(contentType: string, body: string) {
  return readFeatureReports(contentType, Buffer.from(body));
}

function namedPart(document: string, id: string): string {
  return `--Unique\r\nContent-Type: ${TYPE}\r\nContent-Length: ${document.length}\r\nContent-ID: <${id}@host>\r\n\r\n${document}\n`;
}

describe('the body of a NOTIFY is read from', () => {
  test('a server with only Content-Type in its parts', () => {
    const parts = [DND, ALWAYS].map(
      (document) => `--OSS-42\r\nContent-Type: ${TYPE}\r\n\r\n${document}`,
    );
    const body = `${parts.join('\r\n')}\r\n--OSS-42--\r\n`;
    expect(read('multipart/mixed;boundary=OSS-42', body)).toEqual([DND_REPORT, ALWAYS_REPORT]);
  });

  test('a server with a quoted boundary, lengths, Content-ID, bare line feeds and its own order', () => {
    const body = `${namedPart(ALWAYS, 'i')}${namedPart(NO_ANSWER, 'n')}${namedPart(DND, 'd')}--Unique--`;
    expect(read('multipart/mixed; boundary="Unique"', body)).toEqual([
      ALWAYS_REPORT,
      NO_ANSWER_REPORT,
      DND_REPORT,
    ]);
  });

  test('a server that indents its documents', () => {
    const indented = ALWAYS.replaceAll('><', '>\r\n    <');
    const body = `--b\r\nContent-Type:${TYPE}\r\nContent-Length:${indented.length}\r\n\r\n${indented}\r\n--b--\r\n`;
    expect(read('multipart/mixed;boundary=b', body)).toEqual([ALWAYS_REPORT]);
  });

  test('a plain document, with empty elements', () => {
    expect(read(TYPE, NO_ANSWER)).toEqual([NO_ANSWER_REPORT]);
  });

  test('a document with an element inside the number, without the number', () => {
    const nested = ALWAYS.replace('>2424<', '>24<b/>24<');
    expect(read(TYPE, nested)).toEqual([{ feature: 'CallForwardingAlways', status: true }]);
  });

  test('a server that says more than is understood', () => {
    const agent = `<AgentNotReadyEvent ${NS}><agentID>7</agentID></AgentNotReadyEvent>`;
    const hoteling =
      '<?xml version="1.0" encoding="UTF-8"?><HotelingEvent xmlns="http://schema.broadsoft.com/hoteling"><guestAddress/></HotelingEvent>';
    const parts = [agent, DND, hoteling, '<broken'].map(
      (document) => `--b\r\nContent-Type: ${TYPE}\r\n\r\n${document}\r\n`,
    );
    expect(read('multipart/mixed;boundary=b', `${parts.join('')}--b--`)).toEqual([DND_REPORT]);
  });

  test.each([
    ['an empty body', TYPE, ''],
    ['no type', '', DND],
    ['another type', 'text/plain', DND],
    ['a multipart body without boundary', 'multipart/mixed', DND],
    ['a multipart body without end', 'multipart/mixed;boundary=b', `--b\r\n\r\n${DND}`],
    ['a forwarding of CSTA', TYPE, ALWAYS.replace('forwardImmediate', 'forwardDND')],
    ['a status that is neither', TYPE, DND.replace('>true<', '>yes<')],
    ['a status with an element inside', TYPE, DND.replace('>true<', '>t<b/>rue<')],
    ['the document of a request', TYPE, DND.replaceAll('DoNotDisturbEvent', 'SetDoNotDisturb')],
  ])('nothing: %s', (_name, contentType, body) => {
    expect(read(contentType, body)).toEqual([]);
  });
});
