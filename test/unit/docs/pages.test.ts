import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseDocument } from 'yaml';
import { allPages, anchorsOf, fencesOf, linksOf, type Page } from '../../support/markdown.ts';

const PROJECT = new URL('../../../', import.meta.url);
const pages = allPages();

/** What is wrong with a link; `undefined` for a good one, and for one that leaves the project. */
function problemOf(page: Page, link: string): string | undefined {
  if (/^[a-z]+:/.test(link)) return undefined;
  const [path = '', anchor] = link.split('#');
  const url =
    path === '' ? new URL(page.path, PROJECT) : new URL(path, new URL(page.path, PROJECT));
  if (!existsSync(url)) return `${page.path}: ${link} does not exist`;
  const target = pages.find(({ path: known }) => new URL(known, PROJECT).href === url.href);
  if (anchor === undefined || target === undefined || anchorsOf(target).has(anchor)) {
    return undefined;
  }
  return `${page.path}: ${link} names no heading`;
}

describe('README.md and docs', () => {
  test('every link leads to a file, and to a heading of it', () => {
    const problems = pages.flatMap((page) => linksOf(page).map((link) => problemOf(page, link)));
    expect(problems.filter((problem) => problem !== undefined)).toEqual([]);
  });

  test('the README leads to every page', () => {
    const [readme, ...others] = pages;
    const linked = new Set(readme === undefined ? [] : linksOf(readme));
    expect(others.map(({ path }) => path).filter((path) => !linked.has(path))).toEqual([]);
  });

  test('every YAML and JSON example can be parsed', () => {
    const broken = pages.flatMap((page) =>
      fencesOf(page)
        .filter(({ language }) => language === 'yaml' || language === 'json')
        .filter(({ text }) => parseDocument(text).errors.length > 0)
        .map(({ line }) => `${page.path}:${line}`),
    );
    expect(broken).toEqual([]);
  });

  test('every block says what it is: a command, an example, output, or a drawing without letters of a shell', () => {
    const languages = pages.flatMap((page) => fencesOf(page).map(({ language }) => language));
    const known = new Set([
      '',
      'sh',
      'yaml',
      'json',
      'ts',
      'js',
      'text',
      'sql',
      'mermaid',
      'promql',
    ]);
    expect(languages.filter((language) => !known.has(language))).toEqual([]);
    const bare = pages.flatMap((page) =>
      fencesOf(page)
        .filter(({ language, text }) => language === '' && /^(?:npx|npm|docker|curl) /m.test(text))
        .map(({ line }) => `${page.path}:${line}`),
    );
    expect(bare).toEqual([]);
  });
});
