import type { Engine } from '../engine/engine.ts';
import type { RecordedEvent } from '../events.ts';
import type { Problem } from '../problem.ts';
import { done, failed, type Result } from '../result.ts';
import { askEvents } from './ask-ledger.ts';
import { answer, answerJson, type Session } from './command.ts';
import { findRelease } from './releases.ts';

export type Kept = { session: Session; engine: Engine; architecture: string; unit: string; release: string };

/** The last lines of containers that a failed rollout removed: its problem in the ledger holds them. */
export async function keptLogs({ session, engine, architecture, unit, release }: Kept): Promise<Result<number>> {
  const found = await findRelease(engine, { architecture, release, environment: 'local' });
  if (!found.ok) return found;
  const events = await askEvents({ engine, architecture, image: found.value.image }, { limit: 500, release: found.value.release });
  if (!events.ok) return events;
  const problem = events.value.map(problemOf).find((candidate) => candidate !== undefined);
  if (problem === undefined) return failed(nothingKept(unit, release));
  if (session.input.json) answerJson(session, { release: found.value.release, problem });
  else answer(session, [problem.what, ...(problem.why === undefined ? [] : [problem.why]), ...(problem.lines ?? [])].join('\n'));
  return done(0);
}

const problemOf = (event: RecordedEvent): Problem | undefined => (event.type === 'rollout-ended' ? event.problem : undefined);

const nothingKept = (unit: string, release: string): Problem => ({
  code: 'UNKNOWN_SUBJECT',
  what: `release ${release} has no container of ${unit}, and no lines of one were kept`,
  next: `changeless logs ${unit}    shows what runs`,
});
