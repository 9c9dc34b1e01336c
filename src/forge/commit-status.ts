import { short } from '../digest.ts';
import type { JobEnded, RecordedEvent, RolloutEnded } from '../events.ts';
import type { ProblemCode } from '../problem.ts';

/** `error`: that it ended so says nothing of the commit. `link`: where more of it is. */
export type CommitStatus = {
  commit: string;
  context: string;
  state: 'pending' | 'success' | 'failure' | 'error';
  description: string;
  link?: string;
};

/** Where a release and a run are shown; undefined where nobody can look. */
export type Links = { release: (id: string) => string | undefined; run: (id: string) => string | undefined };

/** The events of which a commit may be told. */
export const statusTypes = [
  'rollout-started',
  'rollout-ended',
  'job-accepted',
  'job-started',
  'job-ended',
] as const satisfies RecordedEvent['type'][];

type StatusEvent = Extract<RecordedEvent, { type: (typeof statusTypes)[number] }>;

type Said = Pick<CommitStatus, 'state' | 'description'>;

/** So long a description may be. */
const longest = 140;

/** What an event says of its commit, in an environment; undefined for one that says nothing of one. Pure. */
export function statusOf(event: RecordedEvent, environment: string, links: Links): CommitStatus | undefined {
  if (!isStatusEvent(event) || !('commit' in event) || event.commit === 'uncommitted') return undefined;
  const said = saidOf(event);
  if (said === undefined) return undefined;
  const link = 'run' in event ? links.run(event.run) : links.release(event.release);
  const description = said.description.length <= longest ? said.description : `${said.description.slice(0, longest - 1)}…`;
  return {
    commit: event.commit,
    context: 'job' in event ? jobContext(event.job, environment) : `changeless/${environment}`,
    state: said.state,
    description,
    ...(link !== undefined && { link }),
  };
}

const isStatusEvent = (event: RecordedEvent): event is StatusEvent => (statusTypes as readonly string[]).includes(event.type);

/** A job that is called like the environment would otherwise speak for the rollout. */
const jobContext = (job: string, environment: string): string => `changeless/${job === environment ? `job/${job}` : job}`;

function saidOf(event: StatusEvent): Said | undefined {
  switch (event.type) {
    case 'rollout-started':
      return { state: 'pending', description: `release ${short(event.release)} is being rolled out` };
    case 'rollout-ended':
      return event.token === undefined ? undefined : rolloutEnd(event);
    case 'job-accepted':
      return { state: 'pending', description: `run ${event.run} waits` };
    case 'job-started':
      return { state: 'pending', description: `run ${event.run} is under way` };
    case 'job-ended':
      return jobEnd(event);
  }
}

function rolloutEnd({ release, outcome, problem, held = [], rolledBack }: RolloutEnded): Said {
  const what = `release ${short(release)}`;
  if (outcome === 'superseded') return { state: 'error', description: `${what} was skipped, for a newer one came` };
  if (outcome === 'failed')
    return { state: problem && isOurs(problem.code) ? 'error' : 'failure', description: problem?.what ?? `${what} failed` };
  if (held.length > 0) return { state: 'failure', description: `${what} is live, without ${held.map(({ name }) => name).join(', ')}` };
  return { state: 'success', description: `${what} is live${rolledBack ? ' again' : ''}` };
}

/** What went wrong where it ran, whatever the commit. */
const ours: ReadonlySet<ProblemCode> = new Set([
  'CONTROLLER_DIED',
  'ENGINE_ABSENT',
  'ENGINE_FORBIDDEN',
  'ENGINE_REFUSED',
  'IDENTITY_MISSING',
  'INTERNAL',
  'NO_SPACE',
  'PORT_TAKEN',
  'RELEASE_DROPPED',
  'ROLLED_BACK',
  'ROLLOUT_HELD',
]);

const isOurs = (code: ProblemCode): boolean => ours.has(code);

function jobEnd({ run, outcome, fixed, problem }: JobEnded): Said {
  const because = problem?.what ?? `run ${run} did not pass`;
  if (outcome === 'passed') return { state: 'success', description: `run ${run} passed${fixed ? ': it is fixed' : ''}` };
  return { state: outcome === 'failed' || outcome === 'timed-out' ? 'failure' : 'error', description: because };
}
