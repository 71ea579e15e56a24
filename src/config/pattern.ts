/**
 * Regular expressions that operators may write. Only a syntax that cannot blow up is let in, since they run on what
 * peers send: no back-reference, no lookaround, no quantifier on a group that holds a quantifier.
 */

export const MAX_PATTERN_LENGTH = 1024;

/** Why `text` is no pattern we run, or `undefined` when it is one. */
export function patternProblem(text: string): string | undefined {
  if (text.length > MAX_PATTERN_LENGTH) return `longer than ${MAX_PATTERN_LENGTH} characters`;
  try {
    RegExp(text, 'u');
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return forbiddenConstruct(text);
}

/** Walks a pattern that compiles; per open group it remembers whether a quantifier stands inside. */
function forbiddenConstruct(text: string): string | undefined {
  const groups: boolean[] = [false];
  let wasQuantifiedGroup = false;
  for (let index = 0; index < text.length; index += 1) {
    const character = text.charAt(index);
    const isAfterQuantifiedGroup = wasQuantifiedGroup;
    wasQuantifiedGroup = false;
    if (character === '\\') {
      index += 1;
      if (/[1-9k]/.test(text.charAt(index))) return 'back-references are not supported';
    } else if (character === '[') {
      index = endOfClass(text, index);
    } else if (character === '(') {
      if (/^\(\?<?[=!]/.test(text.slice(index, index + 4))) return 'lookaround is not supported';
      groups.push(false);
    } else if (character === ')') {
      const hasQuantifier = groups.pop() ?? false;
      wasQuantifiedGroup = hasQuantifier;
      if (hasQuantifier) groups[groups.length - 1] = true;
    } else if ('*+{'.includes(character)) {
      if (isAfterQuantifiedGroup)
        return 'a quantifier on a group with a quantifier is not supported';
      groups[groups.length - 1] = true;
    }
  }
  return undefined;
}

/** Index of the bracket that closes the character class opened at `start`. */
function endOfClass(text: string, start: number): number {
  let index = start + 1;
  while (index < text.length && text.charAt(index) !== ']') {
    index += text.charAt(index) === '\\' ? 2 : 1;
  }
  return index;
}
