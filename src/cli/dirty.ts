import { done, failed, type Result } from '../result.ts';
import { flag, placeOf, type Session, textOption } from './command.ts';
import type { Delivery } from './delivery.ts';

/** What is to be delivered: a commit, or the working folder where that was asked for. */
export type Chosen = { revision: string; worktree: boolean };

/**
 * Refuses a working folder that differs from HEAD when HEAD is what is to be delivered, and `--worktree` anywhere but in
 * `local`. A commit that is named is delivered whatever the folder looks like.
 */
export async function chooseSource(session: Session, delivery: Delivery): Promise<Result<Chosen>> {
  const [named] = session.input.arguments;
  const environment = textOption(session.input, 'environment') ?? 'local';
  if (flag(session.input, 'worktree')) {
    if (named !== undefined)
      return failed({
        code: 'USAGE',
        what: `--worktree takes the working folder, not ${named}`,
        safe: 'nothing was changed',
        next: 'leave one of them out',
      });
    if (environment !== 'local') return failed(onlyLocal(environment));
    return done({ revision: 'HEAD', worktree: true });
  }
  if (named !== undefined) return done({ revision: named, worktree: false });
  const changes = await delivery.changes(placeOf(session));
  if (!changes.ok) return changes;
  if (changes.value.changed.length > 0) return failed(uncommitted(changes.value.changed));
  return done({ revision: 'HEAD', worktree: false });
}

const onlyLocal = (environment: string) => ({
  code: 'UNCOMMITTED_CHANGES' as const,
  what: `the working folder runs in local only, not in ${environment}`,
  why: 'only what is committed is deployed elsewhere',
  safe: 'nothing was changed',
  next: 'commit, and leave --worktree out',
});

function uncommitted(changed: readonly string[]) {
  const shown = changed.slice(0, 10).join(', ');
  const more = changed.length > 10 ? ` and ${changed.length - 10} more` : '';
  return {
    code: 'UNCOMMITTED_CHANGES' as const,
    what: `the working folder differs from the commit: ${shown}${more}`,
    why: 'only what is committed is deployed',
    safe: 'nothing was changed',
    next: 'git add -A && git commit    then again\nor --worktree, to run the folder as it is (in local only)',
  };
}
