import { isBranchName } from '../architecture/branch-name.ts';
import type { Delivery } from '../ledger/delivery.ts';
import { done, failed, type Result } from '../result.ts';
import { isCommit, isNoCommit, isRepositoryName } from './git-names.ts';

type Pushed = Pick<Delivery, 'repository' | 'branch' | 'before' | 'after'>;

const heads = 'refs/heads/';

/**
 * What a push says, or a sentence that says what is wrong with it. Nothing else of it is ever used: not its addresses, and no name that
 * is not one. Without `branch`: what was pushed is no branch.
 */
export function readPush({ ref, before, after, repository }: Record<string, unknown>): Result<Pushed, string> {
  if (!isRepositoryName(repository)) return failed('the repository is not a name such as owner/name');
  if (typeof ref !== 'string') return failed('the push has no ref');
  if (!ref.startsWith(heads)) return ref.startsWith('refs/') ? done({ repository }) : failed('the ref does not start with refs/');
  const branch = ref.slice(heads.length);
  if (!isBranchName(branch)) return failed('the ref is no valid name of a branch');
  if (!isCommit(before) || !isCommit(after)) return failed('before and after are not the ids of commits');
  return done({ repository, branch, ...(!isNoCommit(before) && { before }), ...(!isNoCommit(after) && { after }) });
}

/** GitHub takes no notice of upper and lower case in names. */
export const isOf = (wanted: string | undefined, repository: string | undefined): boolean =>
  wanted === undefined || wanted.toLowerCase() === repository?.toLowerCase();
