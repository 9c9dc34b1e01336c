import { mapValues } from '../map-values.ts';
import { sizeBytes } from './expectations.ts';
import type * as input from './job-authoring.ts';
import type { Job, JobStep, JobTriggers, PushFilter } from './job-model.ts';
import type { LimitsInput } from './container-authoring.ts';
import type { ResourceLimits } from './container-model.ts';
import { listed, normaliseUsed, texts } from './normalise-parts.ts';

/** A step builds and tests, which takes more than serving does; a core, so that no build starves the apps beside it. */
const defaults = { memoryBytes: sizeBytes('1g'), processes: 512, cpus: 1, limitMs: 3_600_000 } as const;

/** Jobs with what was not said of them filled in; nothing where there are none, so that manifests of before there were any say the same. */
export const normaliseJobs = (jobs: Readonly<Record<string, input.JobInput>> = {}): { jobs?: Record<string, Job> } =>
  Object.keys(jobs).length === 0 ? {} : { jobs: mapValues(jobs, normaliseJob) };

function normaliseJob({ on = {}, parameters, matrix = {}, steps, limitMs = defaults.limitMs }: input.JobInput): Job {
  return {
    on: normaliseTriggers(on),
    parameters: texts(parameters),
    ...(Object.keys(matrix).length > 0 && { matrix: mapValues(matrix, (values) => values.map(String)) }),
    steps: steps.map((group) => listed<input.JobStepInput>(group).map((step) => normaliseStep(step, limitMs))),
    limitMs,
  };
}

const normaliseTriggers = ({ push, schedule, after }: input.JobTriggersInput): JobTriggers => ({
  ...(push && { push: push === true ? {} : normalisePush(push) }),
  ...(schedule !== undefined && { schedule: listed(schedule) }),
  ...(after !== undefined && { after: listed(after) }),
});

const normalisePush = ({ branches, paths }: input.PushInput): PushFilter => ({
  ...(branches !== undefined && { branches: listed(branches) }),
  ...(paths !== undefined && { paths: listed(paths) }),
});

const normaliseStep = (step: input.JobStepInput, jobLimitMs: number): JobStep => ({
  name: step.name,
  agent: step.agent,
  command: step.command ?? ['sh', '-c', step.run ?? ''],
  settings: texts(step.settings),
  ...normaliseUsed(step.secrets),
  caches: step.caches ?? {},
  artifacts: (step.artifacts ?? []).map((path) => path.replace(/^\.\//, '')),
  limits: normaliseLimits(step.limits),
  limitMs: step.limitMs ?? jobLimitMs,
});

const normaliseLimits = ({ memory, processes, cpus }: LimitsInput = {}): ResourceLimits => ({
  memoryBytes: memory === undefined ? defaults.memoryBytes : sizeBytes(memory),
  processes: processes ?? defaults.processes,
  cpus: cpus ?? defaults.cpus,
});
