import { short } from '../digest.ts';
import type { JobEnded, RecordedEvent, RolloutEnded, UnitName } from '../events.ts';

/** The events of which a channel may be told. */
export const noticedTypes = [
  'unit-held-back',
  'alarm-fired',
  'alarm-cleared',
  'going-back',
  'going-back-failed',
  'rollout-ended',
  'instance-lost',
  'job-started',
  'job-ended',
  'delivery-found',
] as const satisfies RecordedEvent['type'][];

/** What a channel is told about an event, in words; undefined for what is not worth a message. */
export function noticeOf(event: RecordedEvent): string | undefined {
  switch (event.type) {
    case 'unit-held-back':
      return `${unitWords(event.unit)} is held back at its last good generation: ${event.problem.what}`;
    case 'alarm-fired':
      return `alarm ${event.what}`;
    case 'alarm-cleared':
      return `alarm at rest again ${event.what}`;
    case 'going-back':
      return `going back from release ${short(event.release)} to ${short(event.to)}: ${event.problem.why ?? event.problem.what}`;
    case 'going-back-failed':
      return `release ${short(event.release)} stays, for ${short(event.to)} could not serve again: ${event.problem.what}`;
    case 'rollout-ended':
      // One without a number never began: whoever asked for it was told so.
      return event.token === undefined ? undefined : endWords(event);
    case 'instance-lost':
      return `drift: ${event.instance} of ${unitWords(event.unit)} is lost (${event.what}), and is being restored`;
    case 'job-started':
      return `job ${event.job} started on ${commitWords(event.commit)} (run ${event.run})`;
    case 'job-ended':
      return jobWords(event);
    case 'delivery-found':
      return `a push to ${event.branch} (${commitWords(event.after)}) was found whose webhook never came`;
    default:
      return undefined;
  }
}

/** That all is as it was is not worth a message. */
function jobWords({ job, run, commit, author, outcome, fixed, problem }: JobEnded): string | undefined {
  const what = `on ${commitWords(commit)}${author === undefined ? '' : ` by ${author}`} (run ${run})`;
  if (outcome === 'passed') return fixed ? `job ${job} is fixed ${what}` : undefined;
  if (outcome !== 'failed' && outcome !== 'timed-out') return undefined;
  const first = `${problem?.what ?? `job ${job} did not pass`} ${what}${problem?.why ? `: ${problem.why}` : ''}`;
  const where = problem?.where === undefined ? [] : [`in ${problem.where}`];
  return [first, ...where, ...(problem?.lines ?? []).slice(-10).map(cut)].join('\n');
}

const cut = (line: string): string => (line.length <= 300 ? line : `${line.slice(0, 299)}…`);

const commitWords = (commit: string): string => (commit === 'uncommitted' ? 'uncommitted files' : `commit ${commit.slice(0, 12)}`);

function endWords({ release, outcome, problem, held, rolledBack }: RolloutEnded): string {
  if (outcome === 'failed') return `release ${short(release)} failed: ${problem?.what ?? 'nobody knows why'}`;
  if (outcome === 'superseded') return `release ${short(release)} was skipped, for a newer one came`;
  const without = held?.length ? `, without ${held.map(unitWords).join(', ')}` : '';
  return rolledBack ? `rolled back: release ${short(release)} is live again${without}` : `release ${short(release)} is live${without}`;
}

const unitWords = ({ kind, name }: UnitName): string => (kind === 'core' ? 'the core' : `${kind} ${name}`);
