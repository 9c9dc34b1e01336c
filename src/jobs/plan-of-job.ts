import type { Job } from '../architecture/job-model.ts';
import type { PlannedStep, RunPlan, StepToBuild } from '../job-run.ts';
import type { SealedSecrets } from '../release/manifest.ts';
import type { ResolvedArchitecture } from '../release/resolve-environment.ts';
import { sealedValue, secretReferences } from '../release/secret-references.ts';
import { done, type Result } from '../result.ts';
import { stepsOfRun, type RunStep } from './steps-of-run.ts';

/** What the release in charge says, where it runs. */
export type PlanContext = { architecture: ResolvedArchitecture; sealed: SealedSecrets | undefined };

/** `built`: what the images of its steps are made of. */
export type PlannedJob = { plan: RunPlan; parameters: Readonly<Record<string, string>>; built: readonly StepToBuild[] };

/** What a run of a job is to do, and the parameters all its steps get: fixed from here on. Problems are those of `stepsOfRun`. Pure. */
export function planOfJob(
  named: { name: string; job: Job },
  parameters: Readonly<Record<string, string>>,
  context: PlanContext,
): Result<PlannedJob> {
  const steps = stepsOfRun(named.name, named.job, parameters);
  if (!steps.ok) return steps;
  const planned = steps.value.cells.flatMap(({ groups }) =>
    groups.flatMap((group, index) => group.map((each) => plannedStep(each, index, context))),
  );
  const built = steps.value.cells.flatMap(({ groups }) => groups.flat().map(stepToBuild));
  return done({ plan: { steps: planned, limitMs: named.job.limitMs }, parameters: steps.value.parameters, built });
}

const stepToBuild = ({ key, step: { name, agent, command, settings, caches } }: RunStep): StepToBuild => ({
  key,
  step: { name, agent, command, settings, caches },
});

const plannedStep = ({ key, cell, step }: RunStep, group: number, { architecture, sealed }: PlanContext): PlannedStep => ({
  key,
  cell,
  name: step.name,
  group,
  agent: step.agent,
  caches: step.caches,
  artifacts: step.artifacts,
  secrets: secretReferences(architecture, step.secrets ?? {}).map((each) => ({ ...each, sealed: sealedValue(sealed, each) })),
  limits: step.limits,
  limitMs: step.limitMs,
});
