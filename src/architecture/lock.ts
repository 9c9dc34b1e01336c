import { canonicalJson, byCodeUnit } from '../canonical-json.ts';
import type { CommitId } from '../digest.ts';
import type { Finding } from '../problem.ts';
import { done, failed, type Result } from '../result.ts';
import { describe } from './issues.ts';
import { isRecord, keyText } from './key-path.ts';

/** `architecture.lock`: what comes from outside, pinned. Canonical JSON, indented, sorted, so that diffs are small. */
export type Lock = {
  version: 1;
  /** Image name as Dockerfiles spell it → `sha256:…`: the registry's digest, or the image id where the image is from no registry. */
  images: Readonly<Record<string, string>>;
  /** Git address → commit. */
  repositories: Readonly<Record<string, { commit: CommitId }>>;
};

/** The file's name, beside `architecture.ts`. */
export const lockFile = 'architecture.lock';

export const emptyLock: Lock = { version: 1, images: {}, repositories: {} };

/** The lock in a commit's file. LOCK_MISSING when there is none (`text` undefined), LOCK_INVALID with every mistake and its line. */
export function parseLock(text: string | undefined, file: string = lockFile): Result<Lock> {
  if (text === undefined) return failed(missingLock(file));
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return failed(invalidLock(file, [{ place: jsonErrorPlace(file, text, (error as Error).message), what: (error as Error).message }]));
  }
  const mistakes = lockMistakes(value);
  if (mistakes.length === 0) return done(value as Lock);
  return failed(
    invalidLock(
      file,
      mistakes.map((mistake) => toFinding(mistake, file, text)),
    ),
  );
}

/** The file's text: equal locks have equal bytes. */
export function formatLock(lock: Lock): string {
  return `${JSON.stringify(JSON.parse(canonicalJson({ ...lock })), null, 2)}\n`;
}

type LockMistake = { path: readonly string[]; what: string };

function lockMistakes(value: unknown): LockMistake[] {
  if (!isRecord(value)) return [{ path: [], what: `expected an object, found ${describe(value)}` }];
  const known = ['version', 'images', 'repositories'];
  const unknown = Object.keys(value).filter((key) => !known.includes(key));
  return [
    ...unknown.map((key) => ({ path: [key], what: `unknown key; expected one of ${known.join(', ')}` })),
    ...(value['version'] === 1 ? [] : [{ path: ['version'], what: `expected 1, found ${describe(value['version'])}` }]),
    ...each(value, 'images', (pinned) => (isDigest(pinned) ? undefined : `expected sha256: and 64 hex digits, found ${describe(pinned)}`)),
    ...each(value, 'repositories', (pinned) => {
      const commit = isRecord(pinned) ? pinned['commit'] : undefined;
      return isCommit(commit)
        ? undefined
        : `expected { "commit": a full commit id }, found ${describe(isRecord(pinned) ? commit : pinned)}`;
    }),
  ];
}

function each(lock: Record<string, unknown>, key: string, check: (pinned: unknown) => string | undefined): LockMistake[] {
  const part = lock[key];
  if (!isRecord(part)) return [{ path: [key], what: `expected an object, found ${describe(part)}` }];
  return Object.keys(part)
    .toSorted(byCodeUnit)
    .flatMap((name) => {
      const what = check(part[name]);
      return what === undefined ? [] : [{ path: [key, name], what }];
    });
}

const isDigest = (value: unknown): boolean => typeof value === 'string' && /^sha256:[0-9a-f]{64}$/.test(value);

const isCommit = (value: unknown): boolean => typeof value === 'string' && /^([0-9a-f]{40}|[0-9a-f]{64})$/.test(value);

// The file is written by a program, one key a line: the line that begins with the key is the place.
function toFinding({ path, what }: LockMistake, file: string, text: string): Finding {
  const lines = text.split('\n');
  const index = lines.findIndex((line) => path.length > 0 && line.trimStart().startsWith(JSON.stringify(path.at(-1))));
  const line = lines[Math.max(0, index)] ?? '';
  return {
    place: { file, line: Math.max(0, index) + 1, column: line.length - line.trimStart().length + 1, text: line },
    ...(path.length > 0 && { key: keyText(path) }),
    what,
  };
}

function jsonErrorPlace(file: string, text: string, message: string) {
  const position = /\(line (\d+) column (\d+)\)/.exec(message);
  const line = Number(position?.[1] ?? text.split('\n').length);
  return { file, line, column: Number(position?.[2] ?? 1), text: text.split('\n')[line - 1] ?? '' };
}

const missingLock = (file: string) => ({
  code: 'LOCK_MISSING' as const,
  what: `the commit has no ${file}`,
  why: 'images and repositories from elsewhere are pinned there, so that one commit is one release everywhere',
  safe: 'nothing was built or changed',
  next: `changeless lock   writes it; commit it beside architecture.ts`,
});

const invalidLock = (file: string, findings: readonly Finding[]) => ({
  code: 'LOCK_INVALID' as const,
  what: `${file} cannot be read`,
  why: findings[0]?.what ?? 'it is not a lock',
  safe: 'nothing was built or changed',
  next: 'changeless lock   writes it anew',
  findings,
});
