/**
 * Patterns of branches and paths: `*` stands for anything within a segment, a segment `**` for any number of segments (at the end,
 * for at least one).
 */

const segmentsOf = (pattern: string): string[] => pattern.split('/');

/** A pattern that some branch's name fits: what git allows in one, and `*`. */
export const isBranchPattern = (pattern: string): boolean =>
  isPattern(pattern) &&
  !/[ ~^:?[\\]|\.\.|@\{/.test(pattern) &&
  pattern !== '@' &&
  !pattern.startsWith('-') &&
  segmentsOf(pattern).every((segment) => !segment.startsWith('.') && !/\.$|\.lock$/.test(segment));

/** A pattern that some path below the top of a repository fits. */
export const isPathPattern = (pattern: string): boolean =>
  isPattern(pattern) && !pattern.includes('\\') && segmentsOf(pattern).every((segment) => segment !== '.' && segment !== '..');

const isPattern = (pattern: string): boolean =>
  pattern.length <= 1000 &&
  !/[\u0000-\u001f\u007f]/.test(pattern) &&
  segmentsOf(pattern).every((segment) => segment !== '' && (segment === '**' || !segment.includes('**')));

/** Whether a name fits. Takes time in proportion to the lengths of both, whatever they are. */
export const fitsPattern = (name: string, pattern: string): boolean => fitsSegments(name.split('/'), segmentsOf(pattern));

// Which beginnings of the pattern fit the segments so far, so that no pattern makes it try combinations.
function fitsSegments(segments: readonly string[], pattern: readonly string[]): boolean {
  let fitting = skippable([0], pattern);
  for (const segment of segments) {
    const next = [...fitting].flatMap((index) => {
      const part = pattern[index];
      if (part === '**') return [index, index + 1];
      return part !== undefined && fitsSegment(segment, part) ? [index + 1] : [];
    });
    fitting = skippable(next, pattern);
  }
  return fitting.has(pattern.length);
}

/** `**` may stand for nothing, but at the end. */
function skippable(indices: readonly number[], pattern: readonly string[]): Set<number> {
  const all = new Set(indices);
  for (const index of all) if (pattern[index] === '**' && index < pattern.length - 1) all.add(index + 1);
  return all;
}

// Each part between stars at the first place where it is: that leaves most for what follows.
function fitsSegment(segment: string, part: string): boolean {
  const [first = '', ...rest] = part.split('*');
  const end = rest.pop();
  if (end === undefined) return segment === part;
  if (!segment.startsWith(first) || !segment.endsWith(end) || segment.length < first.length + end.length) return false;
  let from = first.length;
  for (const text of rest) {
    const found = segment.indexOf(text, from);
    if (found < 0) return false;
    from = found + text.length;
  }
  return from <= segment.length - end.length;
}
