import { short } from '../../digest.ts';
import { done, failed } from '../../result.ts';
import { answer, answerJson, type CommandResult, type Session } from '../command.ts';
import { compareControllers, compareWithRelease } from '../compare.ts';
import { driftEntries } from '../drift-entry.ts';
import { findLive } from '../live.ts';
import { notRunning } from '../not-running.ts';
import { counted } from '../report/duration.ts';
import { paintFor } from '../report/problem.ts';
import { subjectOf } from '../subject.ts';

/** `verify`: 0 when all that runs is what the live release says, 3 when not. */
export async function run(session: Session): CommandResult {
  const subject = await subjectOf(session);
  if (!subject.ok) return subject;
  const { engine, architecture } = subject.value;
  const [live, differences] = await Promise.all([findLive(session.world, engine, architecture), engine.inspectInstances(architecture)]);
  if (!live.ok) return live;
  if (!differences.ok) return differences;
  const { desired, live: claimant, standingBy, observation } = live.value;
  if (desired === undefined || claimant === undefined) return failed(notRunning(architecture));
  const { drift, compared } = compareWithRelease({ desired, standingBy: standingBy?.desired, observation }, differences.value);
  const { release } = claimant.controller;
  const controllers = compareControllers(
    { live: claimant.controller, standingBy: standingBy?.controller },
    observation,
    live.value.rollout,
  );
  const entries = driftEntries([...controllers, ...drift], session.world.clock(), 'verify');
  if (session.input.json) answerJson(session, { release, ok: entries.length === 0, compared, drift: entries });
  else answer(session, verdict({ session, release, compared, what: entries.map((entry) => entry.what), rollout: live.value.rollout }));
  return done(entries.length === 0 ? 0 : 3);
}

function verdict({
  session,
  release,
  compared,
  what,
  rollout,
}: {
  session: Session;
  release: string;
  compared: number;
  what: readonly string[];
  rollout: boolean;
}): string {
  const paint = paintFor(session.world.stdout.isTerminal, session.world.env);
  const things = counted(compared, 'thing');
  if (what.length === 0) return `${paint('green', 'verified')}  ${things} compared: all that runs is what release ${short(release)} says`;
  const lines = what.map((sentence) => `  ${paint('yellow', 'drift')}  ${sentence}`);
  const note = rollout ? ['  a rollout is under way; verify again when it has ended'] : ['  next   changeless up    puts it right'];
  return [
    `${paint('yellow', 'drift')}     ${things} compared with release ${short(release)}: ${counted(what.length, 'difference')}`,
    ...lines,
    ...note,
  ].join('\n');
}
