/** What tests read out of README.md and docs/*.md. */
import { readdirSync, readFileSync } from 'node:fs';

const PROJECT = new URL('../../', import.meta.url);

export interface Page {
  /** Relative to the project, such as `docs/media.md`. */
  readonly path: string;
  readonly text: string;
}

export interface Fence {
  /** The word behind the opening fence; empty for a drawing. */
  readonly language: string;
  readonly text: string;
  /** 1-based line of the opening fence. */
  readonly line: number;
}

/** README.md and every page below docs/. */
export function allPages(): Page[] {
  const names = readdirSync(new URL('docs/', PROJECT)).filter((name) => name.endsWith('.md'));
  return ['README.md', ...names.toSorted().map((name) => `docs/${name}`)].map((path) => ({
    path,
    text: readFileSync(new URL(path, PROJECT), 'utf8'),
  }));
}

/** Fenced blocks in order. */
export function fencesOf({ text }: Page): Fence[] {
  const fences: Fence[] = [];
  let open: { language: string; line: number; lines: string[] } | undefined;
  for (const [index, line] of text.split('\n').entries()) {
    const fence = /^ *```(\w*)/.exec(line);
    if (open === undefined) {
      if (fence !== null) open = { language: fence[1] ?? '', line: index + 1, lines: [] };
    } else if (fence === null) {
      open.lines.push(line);
    } else {
      fences.push({ language: open.language, line: open.line, text: open.lines.join('\n') });
      open = undefined;
    }
  }
  return fences;
}

/** Targets of links, as written. */
export function linksOf({ text }: Page): string[] {
  return [...withoutFences(text).matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1] ?? '');
}

/** What `#…` may name on a page, the way GitHub makes it of headings. */
export function anchorsOf({ text }: Page): Set<string> {
  const headings = [...withoutFences(text).matchAll(/^#+ (.+)$/gm)].map((match) => match[1] ?? '');
  return new Set(
    headings.map((heading) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
        .trim()
        .replaceAll(' ', '-'),
    ),
  );
}

function withoutFences(text: string): string {
  return text.replaceAll(/^ *```[\s\S]*?^ *```/gm, '');
}
