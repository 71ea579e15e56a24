/** Builds elements; text goes in as text, never as markup. */

const SVG = 'http://www.w3.org/2000/svg';

/** Strokes of the icons on a field of 24 by 24. */
const ICONS = {
  alert:
    'M12 8v5M12 16.5v.01M10.3 4 2.8 17.5A2 2 0 0 0 4.5 20.5h15a2 2 0 0 0 1.7-3L13.7 4a2 2 0 0 0-3.4 0Z',
  bell: 'M6 9a6 6 0 0 1 12 0c0 6 2.5 7.5 2.5 7.5h-17S6 15 6 9M10 20a2.2 2.2 0 0 0 4 0M3.5 3.5l17 17',
  all: 'M15 4l5 5-5 5M20 9H9a5 5 0 0 0-5 5v6',
  busy: 'M7 3h3l1.5 4.5L9.5 9a11 11 0 0 0 5.5 5.5l1.5-2L21 14v3a3 3 0 0 1-3.3 3C10.5 19.4 4.6 13.5 4 6.3A3 3 0 0 1 7 3ZM15.5 3.5l5 5M20.5 3.5l-5 5',
  unanswered: 'M12 7v5.5l3.5 2M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18Z',
  check: 'M5 12.5l4.5 4.5L19 7.5',
  lock: 'M7 11V8a5 5 0 0 1 10 0v3M6 11h12a1 1 0 0 1 1 1v7a1 1 0 0 1-1 1H6a1 1 0 0 1-1-1v-7a1 1 0 0 1 1-1Z',
  phone:
    'M8 3h8a1.5 1.5 0 0 1 1.5 1.5v15A1.5 1.5 0 0 1 16 21H8a1.5 1.5 0 0 1-1.5-1.5v-15A1.5 1.5 0 0 1 8 3ZM11 18h2',
  globe:
    'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM3 12h18M12 3c5 5.5 5 12.5 0 18M12 3c-5 5.5-5 12.5 0 18',
  terminal: 'M5 7l5 5-5 5M12.5 17H19',
  server: 'M4 5h16v6H4ZM4 13h16v6H4ZM7.5 8v.01M7.5 16v.01',
  refresh:
    'M20 11a8 8 0 0 0-14.5-4L4 8.5M4 4v4.5h4.5M4 13a8 8 0 0 0 14.5 4l1.5-1.5M20 20v-4.5h-4.5',
  leave:
    'M14 8V5a1.5 1.5 0 0 0-1.5-1.5h-6A1.5 1.5 0 0 0 5 5v14a1.5 1.5 0 0 0 1.5 1.5h6A1.5 1.5 0 0 0 14 19v-3M10 12h11M17.5 8.5 21 12l-3.5 3.5',
  right: 'M9 6l6 6-6 6',
};

/**
 * An element with attributes and children. A function is a listener (`onclick`), `true` an empty attribute, `false` and
 * `undefined` none.
 */
export function element(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    if (typeof value === 'function') node.addEventListener(key.slice(2), value);
    else node.setAttribute(key, value === true ? '' : String(value));
  }
  node.append(...children.filter((child) => child !== undefined && child !== ''));
  return node;
}

/** A drawing beside words that say the same, hence hidden from screen readers. */
export function icon(name) {
  const svg = document.createElementNS(SVG, 'svg');
  const path = document.createElementNS(SVG, 'path');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  path.setAttribute('d', ICONS[name]);
  svg.append(path);
  return svg;
}

/** The mark of the product. */
export function brand() {
  return element(
    'span',
    { class: 'brand' },
    element('img', { src: '/features/icon.svg', alt: '', width: 28, height: 28 }),
    'Tonebridge',
  );
}

/** Lets a screen reader say it when it has time. */
export function announce(text) {
  const announcer = document.getElementById('announcer');
  // The same text twice would not be said again.
  announcer.textContent = announcer.textContent === text ? `${text}\u00a0` : text;
}

let lastId = 0;

export function freshId(prefix) {
  lastId += 1;
  return `${prefix}-${lastId}`;
}
