import { describe, expect, it } from 'vitest';
import { withSections } from '../../../bench/support/readme.ts';

const README = `# Benchmarks

An old head.

## calls.bench.ts

A method.

### 100 000 calls

Part of the section.

## media.bench.ts

Yesterday.
`;

/** Titles in order. */
function titles(text: string): string[] {
  return [...text.matchAll(/^## (.*)$/gm)].map(([, title = '']) => title);
}

describe('README of the benchmarks', () => {
  it('keeps the sections of what did not run, whole', () => {
    const text = withSections(
      README,
      new Map([['media.bench.ts', '## media.bench.ts\n\nToday.\n']]),
    );
    expect(titles(text)).toEqual(['calls.bench.ts', 'media.bench.ts']);
    expect(text).toContain('A method.\n\n### 100 000 calls\n\nPart of the section.\n');
    expect(text).toContain('Today.\n');
    expect(text).not.toContain('Yesterday');
    expect(text).not.toContain('An old head');
  });

  it('puts a new section where its name belongs', () => {
    const section = '## digits.bench.ts\n\nNew.';
    const text = withSections(README, new Map([['digits.bench.ts', section]]));
    expect(titles(text)).toEqual(['calls.bench.ts', 'digits.bench.ts', 'media.bench.ts']);
  });

  it('replaces the long run whatever its number is, and leaves the short one', () => {
    const first = withSections(
      README,
      new Map([['calls.bench.ts --calls 10', '## calls.bench.ts --calls 10\n\nA']]),
    );
    const text = withSections(
      first,
      new Map([['calls.bench.ts --calls 20', '## calls.bench.ts --calls 20\n\nB']]),
    );
    expect(titles(text)).toEqual(['calls.bench.ts', 'calls.bench.ts --calls 20', 'media.bench.ts']);
  });

  it('changes nothing when written twice', () => {
    const once = withSections(README, new Map());
    expect(withSections(once, new Map())).toBe(once);
  });
});
