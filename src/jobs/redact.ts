import type { Secret } from '../secret.ts';

/** A shorter one would take words out that are none. */
const shortest = 4;

/** The lines without what is in secrets: each line of a value that stands in one is told as `[secret]`. Pure. */
export function redact(lines: readonly string[], secrets: readonly Secret[]): string[] {
  const values = secrets.flatMap((secret) =>
    secret
      .revealText()
      .split('\n')
      .map((line) => line.trim()),
  );
  // The longest first: one may be part of another.
  const hidden = [...new Set(values)].filter(({ length }) => length >= shortest).toSorted((one, other) => other.length - one.length);
  return lines.map((line) => hidden.reduce((text, value) => text.replaceAll(value, '[secret]'), line));
}
