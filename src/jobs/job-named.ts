import { didYouMean } from '../architecture/closest.ts';
import type { Job } from '../architecture/job-model.ts';
import { done, failed, type Result } from '../result.ts';

/** UNKNOWN_JOB where there is none of that name. `whose`: who has them. */
export function jobNamed(jobs: Readonly<Record<string, Job>>, name: string, whose = 'the release that is live'): Result<Job> {
  const job = Object.hasOwn(jobs, name) ? jobs[name] : undefined;
  if (job !== undefined) return done(job);
  const known = Object.keys(jobs);
  return failed({
    code: 'UNKNOWN_JOB',
    what: `${whose} has no job ${name}${didYouMean(name, known)}`,
    why: known.length === 0 ? 'it has none at all' : `there are ${known.join(', ')}`,
    safe: 'nothing was started',
    next: 'changeless jobs    lists them',
  });
}
