import type { Job, JobStep } from '../architecture/job-model.ts';
import { canonicalJson } from '../canonical-json.ts';
import type { JobDifference } from './difference.ts';
import { movedLeaves, namesOf } from './leaves.ts';

type Jobs = Readonly<Record<string, Job>>;

/** Jobs that came, went or are another work, and what of them. */
export function jobDifferences(before: Jobs = {}, after: Jobs = {}): JobDifference[] {
  return namesOf(before, after).flatMap((job): JobDifference[] => {
    const [old, next] = [before[job], after[job]];
    if (old === undefined || next === undefined) return [{ kind: 'job', job, change: next ? 'added' : 'removed' }];
    return [...ownDifferences(job, old, next), ...stepDifferences(job, old, next)];
  });
}

function ownDifferences(job: string, { steps: _old, ...old }: Job, { steps: _next, ...next }: Job): JobDifference[] {
  return movedLeaves(old, next).map((leaf) => ({ kind: 'job-value', job, ...leaf }));
}

function stepDifferences(job: string, old: Job, next: Job): JobDifference[] {
  const [before, after] = [stepsByName(old), stepsByName(next)];
  const differences = namesOf(before, after).flatMap((step): JobDifference[] => {
    const [from, to] = [before[step], after[step]];
    if (from === undefined || to === undefined) return [{ kind: 'job', job, step, change: to ? 'added' : 'removed' }];
    return movedLeaves(from, to).map((leaf) => ({ kind: 'job-value', job, step, ...leaf }));
  });
  const [from, to] = [orderOf(old), orderOf(next)];
  const isReordered = from !== to && differences.every(({ kind }) => kind === 'job-value');
  return isReordered ? [...differences, { kind: 'job-value', job, member: ['order'], from, to }] : differences;
}

const stepsByName = ({ steps }: Job): Record<string, JobStep> => Object.fromEntries(steps.flat().map((step) => [step.name, step]));

const orderOf = ({ steps }: Job): string => canonicalJson(steps.map((group) => group.map(({ name }) => name)));
