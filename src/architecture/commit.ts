import type { CommitId } from '../digest.ts';

/** A commit as people are shown it. `at` is its committer's time, ISO 8601 in UTC. */
export type Commit = { id: CommitId | 'uncommitted'; tree: string; subject: string; author: string; at: string };

/** Reads git's commit object (its raw text). */
export function parseCommit(id: CommitId, raw: string): Commit {
  const split = raw.indexOf('\n\n');
  const headers = raw.slice(0, split < 0 ? raw.length : split).split('\n');
  const header = (name: string): string => headers.find((line) => line.startsWith(`${name} `))?.slice(name.length + 1) ?? '';
  const message = split < 0 ? '' : raw.slice(split + 2).trimStart();
  const seconds = Number(/> (\d+) [+-]\d{4}$/.exec(header('committer'))?.[1] ?? 0);
  return {
    id,
    tree: header('tree'),
    subject: (message.split(/\n\s*\n/)[0] ?? '').replace(/\s*\n\s*/g, ' ').trim(),
    author: header('author').replace(/ <[^>]*>.*$/, ''),
    at: new Date(seconds * 1000).toISOString(),
  };
}
