import type { Mistake } from './issues.ts';
import { type KeyPath, valueAt } from './key-path.ts';
import { at, namesIn, texts } from './written.ts';

/** A job that starts another, and where that is said. */
type Edge = { from: string; path: KeyPath };

/** Jobs that start one another for ever: each ring once, as a chain, at the `after` that closes it. */
export function afterCycles(root: unknown): Mistake[] {
  const jobs = namesIn(root, ['jobs']);
  const before = new Map(jobs.map((job) => [job, edgesOf(root, job, jobs)]));
  const finished = new Set<string>();
  const mistakes: Mistake[] = [];
  const visit = (job: string, chain: readonly string[]): void => {
    if (finished.has(job)) return;
    for (const { from, path } of before.get(job) ?? []) {
      const start = [...chain, job].indexOf(from);
      if (start < 0) visit(from, [...chain, job]);
      else mistakes.push(ring(path, [...chain, job].slice(start)));
    }
    finished.add(job);
  };
  for (const job of jobs) visit(job, []);
  return mistakes;
}

const ring = (path: KeyPath, waiting: readonly string[]): Mistake =>
  at('value', path, `expected jobs that do not wait for each other, found ${[...waiting, waiting[0]].join(' after ')}`);

function edgesOf(root: unknown, job: string, jobs: readonly string[]): Edge[] {
  const path = ['jobs', job, 'on', 'after'];
  const one = valueAt(root, path);
  const named = typeof one === 'string' ? [{ text: one, path }] : texts(root, path);
  return named.filter(({ text }) => jobs.includes(text)).map(({ text, path: place }) => ({ from: text, path: place }));
}
