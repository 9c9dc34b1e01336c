import { short } from '../../digest.ts';
import { done, failed } from '../../result.ts';
import { answer, type CommandResult, type Session } from '../command.ts';
import { decideHeld, heldNow } from '../held.ts';
import { type RolloutStream, withStream } from '../rollout-stream.ts';
import { outcomeOf } from '../start-release.ts';
import { subjectOf } from '../subject.ts';

/** `drop`: what was held for a look goes; what serves serves on. */
export const run = (session: Session): CommandResult => withStream(session, (stream) => drop(session, stream));

async function drop(session: Session, stream: RolloutStream): CommandResult {
  const subject = await subjectOf(session);
  if (!subject.ok) return subject;
  const { engine, architecture } = subject.value;
  const controllers = await engine.controllers(architecture);
  if (!controllers.ok) return controllers;
  const held = await heldNow(engine, architecture, controllers.value);
  if (!held)
    return failed({
      code: 'NOTHING_HELD',
      what: `no release of ${architecture} is held for a look`,
      safe: 'nothing was changed',
      next: 'changeless up --hold    holds one',
    });
  const ended = await decideHeld({ session, engine, stream, architecture, held }, 'drop');
  if (!ended.ok) return ended;
  if (ended.value.problem?.code !== 'RELEASE_DROPPED') return outcomeOf(ended.value, undefined);
  await engine.removeController(architecture, held.controller.name);
  stream.end();
  const { safe } = ended.value.problem;
  if (!session.input.json) answer(session, `dropped  release ${short(held.controller.release)}${safe === undefined ? '' : `; ${safe}`}`);
  return done(0);
}
