/** The phones that are told of every change. */
import { element, icon } from './dom.js';
import { durationText } from './words.js';

export function phoneList(phones) {
  if (phones.length === 0) {
    return element(
      'p',
      { class: 'quiet' },
      'No phone is connected. Changes are kept and shown by the phone when it connects.',
    );
  }
  return element('ul', { class: 'phones' }, ...phones.map((phone) => phoneItem(phone)));
}

function phoneItem({ userAgent, remote, transport, expiresInSeconds }) {
  return element(
    'li',
    {},
    element('span', { class: 'badge' }, icon('phone')),
    element(
      'div',
      { class: 'grow' },
      element('strong', {}, userAgent === '' ? 'Phone without a name' : userAgent),
      element(
        'div',
        { class: 'quiet facts' },
        element('span', { class: 'nowrap' }, `${remote}/${transport.toLowerCase()}`),
        element('span', { class: 'nowrap' }, `renews within ${durationText(expiresInSeconds)}`),
      ),
    ),
  );
}
