import { done } from '../../result.ts';
import { type CommandResult, type Session, textOption } from '../command.ts';
import { questionOf } from '../ledger-question.ts';
import { numberOption } from '../number-option.ts';

/** `controller`: what the release image runs. `log`, `events`, `runs` and `kept` print what the ledger holds, as JSON. */
export async function run(session: Session): CommandResult {
  const { runBakedController, tellFromLedger } = await import('../controller-work.ts');
  const { world, input } = session;
  const limit = numberOption(input, 'limit', 100);
  if (!limit.ok) return limit;
  const question = questionOf(
    input.arguments.filter((word) => word !== undefined),
    { limit: limit.value, release: textOption(input, 'release') },
  );
  if (!question.ok) return question;
  if (question.value) {
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
