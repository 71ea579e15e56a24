/** A recorded SIP message in parts for reading: what it is, its headers, its body. */

const BODIES = [
  ['application/sdp', 'SDP'],
  ['application/kpml', 'KPML'],
  ['application/dtmf', 'DTMF'],
  ['message/sipfrag', 'sipfrag'],
  ['multipart/', 'multipart'],
  ['xml', 'XML'],
];

/** `{ startLine, headers: [name, value][], body }`; folded lines are joined to their header. */
export function messageParts(text) {
  const [head, ...rest] = text.split(/\r?\n\r?\n/);
  const [startLine = '', ...lines] = head.replaceAll(/\r?\n[ \t]+/g, ' ').split(/\r?\n/);
  const headers = lines.map((line) => {
    const colon = line.indexOf(':');
    if (colon === -1) return ['', line];
    return [line.slice(0, colon).trim(), line.slice(colon + 1).trim()];
  });
  return { startLine, headers, body: rest.join('\n\n').replaceAll('\r\n', '\n') };
}

/**
 * The label of an arrow: a request with its target, a response with the method it answers.
 *
 * @returns `{ name, target, body }`; target and body are empty where there is none or it is not known.
 */
export function arrowLabel({ summary, text }) {
  const parts = text === undefined ? undefined : messageParts(text);
  const body = bodyName(parts);
  const response = /^SIP\/2\.0 (\d{3} ?.*)$/.exec(summary);
  if (response === null) {
    const [name = summary, target = ''] = summary.replace(/ SIP\/2\.0$/, '').split(' ', 2);
    return { name, target, body };
  }
  const method = headerOf(parts, 'cseq')?.split(/\s+/)[1];
  return { name: response[1], target: method === undefined ? '' : `(${method})`, body };
}

function headerOf(parts, name) {
  return parts?.headers.find(([each]) => each.toLowerCase() === name)?.[1];
}

function bodyName(parts) {
  if (parts === undefined || parts.body.trim() === '') return '';
  const type = (headerOf(parts, 'content-type') ?? headerOf(parts, 'c') ?? '').toLowerCase();
  return BODIES.find(([part]) => type.includes(part))?.[1] ?? 'body';
}
