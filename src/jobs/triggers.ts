import { firstTime, lastTime } from '../architecture/cron.ts';
import type { Job, PushFilter } from '../architecture/job-model.ts';
import { fitsPattern } from '../architecture/patterns.ts';
import { byCodeUnit } from '../canonical-json.ts';

export type Jobs = Readonly<Record<string, Job>>;

/** `changedPaths`: of all its commits; undefined when nobody can tell (a new branch, a rewritten one), and then they may be any. */
export type Push = { branch: string; changedPaths?: readonly string[] };

/** The jobs a push starts, by name, sorted. Pure. */
export const jobsOfPush = (jobs: Jobs, push: Push): string[] =>
  namesWhere(jobs, ({ on }) => on.push !== undefined && isMeant(on.push, push));

function isMeant({ branches, paths }: PushFilter, { branch, changedPaths }: Push): boolean {
  if (branches && !fitsOne(branch, branches)) return false;
  return !paths || !changedPaths || changedPaths.some((path) => fitsOne(path, paths));
}

const fitsOne = (name: string, patterns: readonly string[]): boolean => patterns.some((pattern) => fitsPattern(name, pattern));

/** A job, and the time of its schedule at which it is due. */
export type DueJob = { job: string; at: Date };

/**
 * The jobs that came due after `since` and not after `until`, each once, at the last of its times: what was missed because nobody
 * looked is made up for once, not once for each time. In the order of the times. Pure.
 */
export function nextTimes(jobs: Jobs, since: Date, until: Date): DueJob[] {
  const due = Object.entries(jobs).flatMap(([job, { on }]): DueJob[] => {
    const times = (on.schedule ?? []).map((expression) => lastTime(expression, { since, until })).filter((time) => time !== undefined);
    const at = times.toSorted(byTime).at(-1);
    return at === undefined ? [] : [{ job, at }];
  });
  return due.toSorted((one, other) => byTime(one.at, other.at) || byCodeUnit(one.job, other.job));
}

/** When the first job comes due after `since`: until then nobody need look. Undefined where none has a schedule. Pure. */
export function nextTime(jobs: Jobs, since: Date): Date | undefined {
  const expressions = Object.values(jobs).flatMap(({ on }) => on.schedule ?? []);
  const times = expressions.map((expression) => firstTime(expression, since)).filter((time) => time !== undefined);
  return times.toSorted(byTime)[0];
}

/** The jobs that start when a run has ended, on its commit; none unless it passed. By name, sorted. Pure. */
export const jobsAfter = (jobs: Jobs, ended: { job: string; passed: boolean }): string[] =>
  ended.passed ? namesWhere(jobs, ({ on }) => on.after?.includes(ended.job) === true) : [];

const namesWhere = (jobs: Jobs, isWanted: (job: Job) => boolean): string[] =>
  Object.entries(jobs)
    .filter(([, job]) => isWanted(job))
    .map(([name]) => name)
    .toSorted(byCodeUnit);

const byTime = (one: Date, other: Date): number => one.getTime() - other.getTime();
