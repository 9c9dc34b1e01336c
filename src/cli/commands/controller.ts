import type { ReleaseId } from '../../digest.ts';
import { done, failed, type Result } from '../../result.ts';
import { type CommandResult, type Session, textOption } from '../command.ts';
import { isLedgerSubject, type LedgerQuestion } from '../controller-work.ts';
import { numberOption } from '../number-option.ts';

/** `controller`: what the release image runs. `log` and `events` print what the ledger holds, as JSON. */
export async function run(session: Session): CommandResult {
  const { runBakedController, tellFromLedger } = await import('../controller-work.ts');
  const { world, input } = session;
  if (input.arguments.length > 0) {
    const question = questionOf(session);
    if (!question.ok) return question;
    const told = await tellFromLedger(question.value);
    if (!told.ok) return told;
    world.stdout.write(`${told.value}\n`);
    return done(0);
  }
  const engine = await world.engine();
  if (!engine.ok) return engine;
  const print = (event: object): void => world.stdout.write(`${JSON.stringify(event)}\n`);
  const result = await runBakedController({ engine: engine.value, print, signal: world.terminated });
  return result.ok ? done(0) : result;
}

function questionOf(session: Session): Result<LedgerQuestion> {
  const [about] = session.input.arguments;
  if (!isLedgerSubject(about))
    return failed({ code: 'USAGE', what: `the controller has no ${about} to tell`, next: 'controller log, events or deliveries' });
  const limit = numberOption(session.input, 'limit', 100);
  if (!limit.ok) return limit;
  const release = textOption(session.input, 'release');
  return done({ about, limit: limit.value, ...(release !== undefined && { release: release as ReleaseId }) });
}
