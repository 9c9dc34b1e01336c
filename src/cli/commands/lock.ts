import { done } from '../../result.ts';
import { answer, answerJson, type CommandResult, flag, placeOf, type Session } from '../command.ts';
import { progressReporter } from '../report/choose-reporter.ts';

/** `lock`: writes architecture.lock beside architecture.ts, from the working folder as it is. */
export async function run(session: Session): CommandResult {
  const delivery = await session.world.delivery();
  const reporter = progressReporter(session.world);
  const locked = await delivery.lock(placeOf(session), { update: flag(session.input, 'update'), report: reporter.report });
  reporter.end();
  if (!locked.ok) return locked;
  const { file, changes } = locked.value;
  if (session.input.json) answerJson(session, { file, changes });
  else
    answer(
      session,
      changes.length === 0
        ? `${file} is as it was`
        : [`wrote  ${file}`, ...changes.map((change) => `  ${change}`), '  commit it'].join('\n'),
    );
  return done(0);
}
