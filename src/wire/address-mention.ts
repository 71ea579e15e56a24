/** Whether one of `names` (lower case) stands in `text` in any letter case, not as a part of a longer name. */
export function mentionsAny(text: string, names: readonly string[]): boolean {
  const lower = text.toLowerCase();
  return names.some((name) => {
    for (let at = lower.indexOf(name); at >= 0; at = lower.indexOf(name, at + name.length)) {
      const before = lower.charAt(at - 1);
      const behind = lower.charAt(at + name.length);
      if (!/[a-z0-9.]/.test(before) && !/[a-z0-9]/.test(behind)) return true;
    }
    return false;
  });
}
