import { describeDifference, type Difference, type JobDifference } from '../release/difference.ts';
import type { ReleaseInputs } from '../release/manifest.ts';

export type JobChange = { name: string; change: 'added' | 'changed' | 'removed'; why: string[] };

/** The jobs that a release would bring, take away or make another work of, and why. Replaces nothing that serves. Pure. */
export function planJobs(before: ReleaseInputs | undefined, after: ReleaseInputs, differences: readonly Difference[]): JobChange[] {
  if (before === undefined)
    return Object.keys(after.architecture.jobs ?? {})
      .toSorted()
      .map((name) => ({ name, change: 'added', why: [] }));
  const changes = new Map<string, JobChange>();
  for (const difference of differences) {
    for (const name of jobsOf(difference)) {
      const change = changes.get(name) ?? { name, change: 'changed', why: [] };
      if (isWhole(difference)) change.change = difference.change;
      else change.why.push(describeDifference(difference));
      changes.set(name, change);
    }
  }
  return [...changes.values()].map((change) => (change.change === 'changed' ? change : { ...change, why: [] }));
}

function jobsOf(difference: Difference): string[] {
  if (difference.kind === 'secret') return difference.users.filter(({ kind }) => kind === 'job').map(({ name }) => name);
  return difference.kind === 'job' || difference.kind === 'job-value' ? [difference.job] : [];
}

const isWhole = (difference: Difference): difference is Extract<JobDifference, { kind: 'job' }> =>
  difference.kind === 'job' && difference.step === undefined;
