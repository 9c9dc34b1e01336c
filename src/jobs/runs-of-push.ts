import { repositoryName } from '../architecture/deliver.ts';
import type { Deliver } from '../architecture/model.ts';
import { repositorySecret } from '../builder-task.ts';
import { digestOfBytes, type CommitId, type ImageId, type ReleaseId, type RunId } from '../digest.ts';
import { deliverJob, type AcceptedRun, type PlannedStep, type RunOutcome, type RunPush } from '../job-run.ts';
import { gitSource, type RunsOfDelivery } from '../ledger/delivery.ts';
import type { ResolvedArchitecture } from '../release/resolve-environment.ts';
import { sealedValue } from '../release/secret-references.ts';
import { planOfJob, type PlanContext } from './plan-of-job.ts';
import { readPushBody } from './push-body.ts';
import { jobsAfter, jobsOfPush, nextTimes } from './triggers.ts';

/** What the release in charge says, and its agents' images by name. */
export type PushContext = PlanContext & { release: ReleaseId; environment: string; agents: Readonly<Record<string, ImageId>> };

type Pushed = Parameters<RunsOfDelivery>[0];

/**
 * What a delivery starts: the job `deliver`, where it is a push to the branch that is delivered, and the jobs on push that it fits. Ids follow
 * from the delivery's number. Nothing for what is no push, is one of another repository, or deletes a branch. Pure.
 */
export function runsOfPush(delivery: Pushed, context: PushContext): AcceptedRun[] {
  const { kind, source, number, branch, before, after } = delivery;
  const { deliver } = context.architecture;
  if (kind !== 'push' || branch === undefined || after === undefined || !deliver || !isOf(deliver, delivery)) return [];
  const { author, changedPaths } = readPushBody(delivery);
  const push: RunPush = {
    delivery: number,
    source,
    branch,
    ...(before !== undefined && { before }),
    ...(author !== undefined && { author }),
  };
  const { release, environment } = context;
  const accepted = { commit: after as CommitId, release, environment, reason: 'push', push } as const;
  const jobs = jobsOfPush(context.architecture.jobs ?? {}, { branch, ...(changedPaths && { changedPaths }) });
  return [
    ...(branch === deliver.branch ? [{ ...accepted, ...deliverRun(push, context) }] : []),
    ...jobs.flatMap((job) => {
      const prepared = preparedRun({ job, push }, context);
      return prepared ? [{ ...accepted, ...prepared, id: `${job}-${number}` as RunId }] : [];
    }),
  ];
}

/** Whether a push to a branch of a forge's repository may start anything. Pure. */
export const asksFor = ({ deliver, jobs = {} }: ResolvedArchitecture, pushed: { repository: string; branch: string }): boolean =>
  deliver !== undefined && isOf(deliver, pushed) && (pushed.branch === deliver.branch || jobsOfPush(jobs, pushed).length > 0);

/** Of the gateway's own remote is all that it sends; a forge says of which repository it is. */
function isOf({ repository }: Deliver, delivery: Pick<Pushed, 'repository'> & { source?: string }): boolean {
  if (repository === undefined) return delivery.source === gitSource;
  const own = repositoryName(repository);
  return delivery.repository === undefined || own === undefined || own.toLowerCase() === delivery.repository.toLowerCase();
}

type Planned = Pick<AcceptedRun, 'job' | 'parameters' | 'plan'>;

const deliverRun = (push: RunPush, context: PushContext): Planned & Pick<AcceptedRun, 'id' | 'turn'> => ({
  id: `${deliverJob}-${push.delivery}` as RunId,
  job: deliverJob,
  parameters: {},
  plan: { steps: [builderStep('deliver', push, context)], limitMs: deliverMs },
  turn: deliverJob,
});

/**
 * What comes after a run that has ended, on its commit: under ids that follow from its own, so that none is accepted twice. None where nothing
 * can be fetched. Pure.
 */
export function runsAfter(ended: AfterRun, context: PushContext): AcceptedRun[] {
  const { id, job, commit, push, outcome } = ended;
  if (!context.architecture.deliver) return [];
  const { release, environment } = context;
  const accepted = { commit, release, environment, reason: 'after', ...(push && { push }) } as const;
  return jobsAfter(context.architecture.jobs ?? {}, { job, passed: outcome === 'passed' }).flatMap((next) => {
    const prepared = preparedRun({ job: next, ...(push && { push }) }, context);
    return prepared ? [{ ...accepted, ...prepared, id: `${next}-${digestOfBytes(id).slice(0, 12)}` as RunId }] : [];
  });
}

/** What of a run says what comes after it. */
export type AfterRun = Pick<AcceptedRun, 'id' | 'job' | 'commit' | 'push'> & { outcome: RunOutcome };

/** What came due by schedule, on the commit of the release. Missed times count once. None where nothing can be fetched. Pure. */
export function runsDue(
  { since, until }: { since: Date; until: Date },
  context: PushContext & { commit: CommitId | 'uncommitted' },
): AcceptedRun[] {
  const { release, environment, commit, architecture } = context;
  if (!architecture.deliver) return [];
  return nextTimes(architecture.jobs ?? {}, since, until).flatMap(({ job, at }) => {
    const prepared = preparedRun({ job }, context);
    const id = `${job}-${at
      .toISOString()
      .slice(0, 16)
      .replaceAll(/[^0-9]/g, '')}` as RunId;
    return prepared ? [{ ...prepared, commit, release, environment, reason: 'schedule', id }] : [];
  });
}

type ToPrepare = { job: string; push?: RunPush; parameters?: Readonly<Record<string, string>> };

/** A run whose images the builder makes first; undefined where there is no such job, or its parameters are none. */
export function preparedRun({ job, push, parameters = {} }: ToPrepare, context: PushContext): Planned | undefined {
  const definition = context.architecture.jobs?.[job];
  const planned = definition && planOfJob({ name: job, job: definition }, parameters, context);
  if (!planned?.ok) return undefined;
  const { plan, parameters: all, built } = planned.value;
  const steps = [builderStep('prepare', push, context), ...plan.steps];
  return { job, parameters: all, plan: { ...plan, steps, prepare: { steps: built, agents: context.agents } } };
}

/** As long as a rollout that is under way, and then its own, may well take. */
const deliverMs = 3_600_000;
const prepareMs = 600_000;

const builderLimits = { memoryBytes: 2 ** 30, processes: 512 };

/** No step of a job has such a key: those have the name of a cell, or nothing, before the slash. */
function builderStep(does: 'deliver' | 'prepare', push: RunPush | undefined, { architecture, sealed }: PushContext): PlannedStep {
  const secret = architecture.deliver?.secret;
  const reference = secret === undefined ? undefined : { secret, version: architecture.secrets?.[secret]?.version ?? 0 };
  return {
    key: `builder/${does}`,
    cell: 'builder',
    name: does,
    group: -1,
    agent: 'builder',
    caches: {},
    artifacts: [],
    secrets: reference ? [{ ...reference, file: repositorySecret, sealed: sealedValue(sealed, reference) }] : [],
    limits: builderLimits,
    limitMs: does === 'deliver' ? deliverMs : prepareMs,
    builder: does,
    ...((push?.source === gitSource || architecture.deliver?.repository === undefined) && { remote: true as const }),
  };
}
