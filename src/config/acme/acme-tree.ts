/** What a running configuration consists of, each part with the lines it stands on. */

/** One parameter with its value as written, continuation lines joined by blanks. */
export interface AcmeParameter {
  readonly name: string;
  /** Quotes and parentheses included; '' where nothing stands behind the name. */
  raw: string;
  /** 1-based. */
  readonly lines: number[];
}

export interface AcmeElement {
  readonly name: string;
  /** 1-based line of the heading. */
  readonly line: number;
  readonly parameters: AcmeParameter[];
  readonly children: AcmeElement[];
}

/** A line that is no part of any element. */
export interface AcmeStray {
  readonly line: number;
  readonly text: string;
  /** `surroundings`: prompt, pager and the like, which say nothing about the configuration. */
  readonly kind: 'surroundings' | 'unreadable';
  readonly reason: string;
}

export interface AcmeTree {
  readonly elements: readonly AcmeElement[];
  readonly strays: readonly AcmeStray[];
  /** 1-based numbers of all lines that hold anything. */
  readonly filledLines: readonly number[];
}
