import type { Architecture } from '../architecture/model.ts';
import type { JobFacts } from '../release-facts.ts';
import { resolveEnvironment } from '../release/resolve-environment.ts';
import { deliverJob } from '../job-run.ts';

/** The jobs of an architecture, by name. What pushes run is no job of it, and runs like one: it comes last. */
export function jobsOf(architecture: Architecture, environment: string): JobFacts[] {
  const resolved = resolveEnvironment(architecture, environment);
  const { jobs = {}, deliver } = resolved.ok ? resolved.value : architecture;
  const own = Object.entries(jobs).map(([job, { on, parameters }]): JobFacts => ({ job, on, parameters }));
  return deliver ? [...own, { job: deliverJob, on: { push: { branches: [deliver.branch] } }, parameters: {} }] : own;
}
