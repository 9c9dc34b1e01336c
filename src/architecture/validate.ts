import type { ArchitectureInput } from './authoring.ts';
import { crossCheck } from './cross-check.ts';
import type { Mistake } from './issues.ts';
import { isRecord, type KeyPath, keyText } from './key-path.ts';
import type { Architecture } from './model.ts';
import { normalise } from './normalise.ts';
import { notJsonKey } from './not-json.ts';
import type { Finding, Problem, SourcePlace } from '../problem.ts';
import { done, failed, type Result } from '../result.ts';

/** Where in the source a key (or its value) is written; undefined when it cannot be told. Never throws. */
export type KeyLocator = (path: KeyPath, at: 'key' | 'value') => SourcePlace | undefined;

/**
 * What was evaluated as an architecture with all defaults, or ARCHITECTURE_INVALID with every mistake in it at once,
 * in the order of the source. The schema is loaded on first use: a cached evaluation never needs it.
 */
export async function validateArchitecture(value: unknown, locate: KeyLocator): Promise<Result<Architecture>> {
  const mistakes = await findMistakes(value);
  if (mistakes.length === 0) return done(normalise(value as ArchitectureInput));
  return failed(invalidArchitecture(mistakes.map((mistake) => toFinding(mistake, locate)).toSorted(bySource)));
}

/** The problem whose findings these are. */
export function invalidArchitecture(findings: readonly Finding[]): Problem {
  const first = findings[0]?.place;
  const count = findings.length === 1 ? 'one mistake' : `${findings.length} mistakes`;
  return {
    code: 'ARCHITECTURE_INVALID',
    what: `the architecture has ${count}`,
    safe: 'nothing was built or changed',
    ...(first && {
      next: `correct ${first.file}:${first.line}${findings.length > 1 ? ' and the others' : ''}, commit, and run the command again`,
    }),
    findings,
  };
}

async function findMistakes(value: unknown): Promise<Mistake[]> {
  const { cleaned, mistakes } = withoutForeignValues(value);
  const [{ architectureInput }, { mistakesOf }] = await Promise.all([import('./schema.ts'), import('./issues.ts')]);
  const parsed = architectureInput.safeParse(cleaned);
  const fromSchema = parsed.success ? [] : mistakesOf(parsed.error.issues, cleaned);
  const told = new Set(mistakes.map(({ path }) => keyText(path)));
  return [...mistakes, ...fromSchema.filter(({ path }) => !told.has(keyText(path))), ...crossCheck(cleaned)];
}

// Functions, dates and the like cannot be data; each is a mistake of its own, and gone before the schema looks.
function withoutForeignValues(value: unknown, path: KeyPath = []): { cleaned: unknown; mistakes: Mistake[] } {
  if (Array.isArray(value)) {
    const items = value.map((item, index) => withoutForeignValues(item, [...path, index]));
    return { cleaned: items.map((item) => item.cleaned), mistakes: items.flatMap((item) => item.mistakes) };
  }
  if (!isRecord(value)) return { cleaned: value, mistakes: [] };
  if (notJsonKey in value)
    return { cleaned: undefined, mistakes: [{ path, at: 'value', what: `expected plain data, found ${String(value[notJsonKey])}` }] };
  const members = Object.entries(value).map(([key, item]) => ({ key, ...withoutForeignValues(item, [...path, key]) }));
  return {
    cleaned: Object.fromEntries(members.map(({ key, cleaned }) => [key, cleaned])),
    mistakes: members.flatMap((item) => item.mistakes),
  };
}

function toFinding({ path, at, what, other }: Mistake, locate: KeyLocator): Finding {
  const place = locate(path, at);
  const otherPlace = other && locate(other, 'value');
  const whole = otherPlace === undefined ? what : `${what} (${otherPlace.file}:${otherPlace.line})`;
  return { ...(place && { place }), ...(path.length > 0 && { key: keyText(path) }), what: whole };
}

const bySource = (a: Finding, b: Finding): number => {
  if (a.place === undefined || b.place === undefined || a.place.file !== b.place.file) return 0;
  return a.place.line - b.place.line || (a.place.column ?? 0) - (b.place.column ?? 0);
};
