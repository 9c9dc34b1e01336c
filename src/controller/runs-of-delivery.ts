import { agentsOf } from '../release/images-of.ts';
import { resolveEnvironment } from '../release/resolve-environment.ts';
import { runsDue, runsOfPush } from '../jobs/runs-of-push.ts';
import type { JobDefinitions } from '../jobs/workplace.ts';
import { nextTime } from '../jobs/triggers.ts';
import type { AcceptedRun } from '../job-run.ts';
import type { RunsOfDelivery } from '../ledger/delivery.ts';
import type { Post } from './post.ts';

type Said = Pick<Post, 'manifest' | 'environment'>;

/** What this controller's release says of jobs; undefined where it cannot say anything. */
export function definitionsIn({ manifest, environment }: Said): JobDefinitions | undefined {
  const architecture = resolveEnvironment(manifest.inputs.architecture, environment);
  if (!architecture.ok) return undefined;
  const { release, inputs } = manifest;
  return { release, environment, architecture: architecture.value, sealed: inputs.secrets, agents: agentsOf(manifest) };
}

/** What deliveries start, as this controller's release says. Without a place for their output no runs are carried, and so none begun. */
export function runsOfDelivery(post: Said & Pick<Post, 'logs'>): RunsOfDelivery {
  const context = post.logs === undefined ? undefined : definitionsIn(post);
  return (delivery) => (context ? runsOfPush(delivery, context) : []);
}

/** What comes due by schedule, and when next. */
export type Schedules = { due: (since: Date, until: Date) => AcceptedRun[]; next: (since: Date) => Date | undefined };

/** Undefined where nothing is to come due: on a laptop nothing does, unless its environment says so. */
export function schedulesIn(post: Said & Pick<Post, 'logs'>): Schedules | undefined {
  const context = post.logs === undefined ? undefined : definitionsIn(post);
  if (!context?.architecture.deliver) return undefined;
  const { jobs = {}, schedules = post.environment !== 'local' } = context.architecture;
  if (!schedules) return undefined;
  const { commit } = post.manifest.inputs.source;
  return { due: (since, until) => runsDue({ since, until }, { ...context, commit }), next: (since) => nextTime(jobs, since) };
}
