import { isVerdict, type JobRun } from '../job-run.ts';
import type { CarriedRun } from './run-hands.ts';

/** Says how a run ended, unless that was said: an owner before this one may have been killed right after it. */
export async function tellEnd({ hands, run }: CarriedRun): Promise<void> {
  const { outcome, endedAt, problem } = run;
  if (!outcome || !endedAt || (await hands.isTold(run))) return;
  hands.report({
    type: 'job-ended',
    run: run.id,
    job: run.job,
    commit: run.commit,
    outcome,
    durationMs: Date.parse(endedAt) - Date.parse(run.startedAt ?? endedAt),
    ...(outcome === 'passed' && (await failedBefore(hands.runs, run)) && { fixed: true as const }),
    ...(run.push?.author !== undefined && { author: run.push.author }),
    ...(problem && { problem }),
  });
  await hands.flush();
}

/** Whether the last run of the job that ended before this one had failed. */
async function failedBefore(runs: CarriedRun['hands']['runs'], run: JobRun): Promise<boolean> {
  const others = await runs.list({ job: run.job, limit: 50 });
  const before = others
    .filter((each) => each.id !== run.id && each.outcome && isVerdict(each.outcome) && (each.endedAt ?? '') <= (run.endedAt ?? ''))
    .toSorted((a, b) => ((a.endedAt ?? '') < (b.endedAt ?? '') ? 1 : -1))[0];
  return before !== undefined && before.outcome !== 'passed';
}
