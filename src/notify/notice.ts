import { short } from '../digest.ts';
import type { RecordedEvent, UnitName } from '../events.ts';
import { isVerdict } from '../job-run.ts';

/** What a channel is told about an event, in a sentence; undefined for what is not worth a message. */
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
    case 'job-started':
      return `job ${event.job} started on ${commitWords(event.commit)} (run ${event.run})`;
    case 'job-ended':
      return jobWords(event);
    default:
      return undefined;
  }
}

/** That all is as it was is not worth a message. */
function jobWords({ job, run, commit, outcome, fixed, problem }: RecordedEvent & { type: 'job-ended' }): string | undefined {
  const what = `on ${commitWords(commit)} (run ${run})`;
  if (outcome === 'passed') return fixed ? `job ${job} is fixed ${what}` : undefined;
  if (!isVerdict(outcome)) return undefined;
  const lines = (problem?.lines ?? []).slice(-10);
  return [`${problem?.what ?? `job ${job} did not pass`} ${what}${problem?.why ? `: ${problem.why}` : ''}`, ...lines].join('\n');
}

const commitWords = (commit: string): string => (commit === 'uncommitted' ? 'uncommitted files' : `commit ${commit.slice(0, 12)}`);

function endWords({ release, outcome, problem, held }: RecordedEvent & { type: 'rollout-ended' }): string {
  if (outcome === 'failed') return `release ${short(release)} failed: ${problem?.what ?? 'nobody knows why'}`;
  if (outcome === 'superseded') return `release ${short(release)} was skipped, for a newer one came`;
  const without = held?.length ? `, without ${held.map(unitWords).join(', ')}` : '';
  return `release ${short(release)} is live${without}`;
}

const unitWords = ({ kind, name }: UnitName): string => (kind === 'core' ? 'the core' : `${kind} ${name}`);
