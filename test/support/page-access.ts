/** What keeps somebody from using a page: names that are missing, words that are hard to read, what Tab does not reach. */

import type { Page } from 'playwright-core';

/** Least contrast of words with what is behind them (WCAG 2.2, 1.4.3). */
const LEAST_CONTRAST = 4.5;

/** Controls without a name, pictures without words, headings that are missing: one line each. */
export async function namelessParts(page: Page): Promise<string[]> {
  return await page.evaluate<string[]>(`(() => {
    const problems = [];
    const isShown = (node) => node.getClientRects().length > 0;
    const nameOf = (node) =>
      node.getAttribute('aria-label') || node.innerText || node.labels?.[0]?.innerText || node.title;
    for (const node of document.querySelectorAll('button, a[href], input, select, [role=img]')) {
      if (isShown(node) && !nameOf(node)?.trim()) problems.push('no name: ' + node.outerHTML.slice(0, 120));
    }
    for (const node of document.querySelectorAll('img:not([alt])')) problems.push('no alt: ' + node.src);
    for (const node of document.querySelectorAll('table:not([aria-label])')) {
      problems.push('a table without a name: ' + node.innerText.slice(0, 40));
    }
    const titles = document.querySelectorAll('h1').length;
    if (titles !== 1) problems.push(titles + ' titles');
    return problems;
  })()`);
}

/** Words whose colour is too near to that behind them, with the contrast that they have. */
export async function faintWords(page: Page): Promise<string[]> {
  return await page.evaluate<string[]>(`(() => {
    const channels = (text) => (text.match(/[\\d.]+/g) ?? []).map(Number);
    const light = (value) => (value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
    const luminance = ([red, green, blue]) =>
      0.2126 * light(red / 255) + 0.7152 * light(green / 255) + 0.0722 * light(blue / 255);
    const groundOf = (node) => {
      for (let each = node; each; each = each.parentElement) {
        const [red, green, blue, alpha = 1] = channels(getComputedStyle(each).backgroundColor);
        if (alpha > 0.99) return [red, green, blue];
      }
      return [255, 255, 255];
    };
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const faint = new Set();
    while (walker.nextNode()) {
      const node = walker.currentNode.parentElement;
      const words = walker.currentNode.data.trim();
      const isOff = node.closest('.unseen, .skip, noscript, :disabled') !== null;
      if (words === '' || isOff || node.getClientRects().length === 0) continue;
      const ink = luminance(channels(getComputedStyle(node).color));
      const ground = luminance(groundOf(node));
      const contrast = (Math.max(ink, ground) + 0.05) / (Math.min(ink, ground) + 0.05);
      if (contrast < ${LEAST_CONTRAST}) faint.add(contrast.toFixed(1) + ': ' + words.slice(0, 40));
    }
    return [...faint];
  })()`);
}

/** Goes through the page by Tab alone; gives what it does not reach, and where it leaves no trace. */
export async function unreachedByTab(page: Page): Promise<string[]> {
  const count = await page.evaluate<number>(`(() => {
    const all = [...document.querySelectorAll('a[href], button, input, select, summary')];
    // A long list may be one stop, with keys of its own inside.
    window.tabStops = all.filter(
      (node) => !node.disabled && node.tabIndex >= 0 && node.getClientRects().length > 0,
    );
    document.activeElement?.blur();
    document.body.tabIndex = -1;
    document.body.focus();
    return window.tabStops.length;
  })()`);
  const problems = new Set<string>();
  for (let step = 0; step < count; step += 1) {
    await page.keyboard.press('Tab');
    const problem = await page.evaluate<string>(`(() => {
      const node = document.activeElement;
      window.tabStops = window.tabStops.filter((each) => each !== node);
      const { outlineStyle } = getComputedStyle(node);
      return outlineStyle === 'none' ? 'no trace of focus: ' + node.outerHTML.slice(0, 120) : '';
    })()`);
    if (problem !== '') problems.add(problem);
  }
  const left = await page.evaluate<string[]>(
    `window.tabStops.filter((node) => node.isConnected).map((node) => 'not reached: ' + node.outerHTML.slice(0, 120))`,
  );
  return [...problems, ...left];
}
