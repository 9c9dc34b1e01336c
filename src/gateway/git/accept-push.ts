import type { Delivery } from '../../ledger/delivery.ts';
import { gitSource } from '../../ledger/delivery.ts';
import type { Problem } from '../../problem.ts';
import type { Result } from '../../result.ts';
import type { GitRepository } from './git-repository.ts';
import type { BranchMove } from './push-commands.ts';
import type { HeldLock } from './repository-lock.ts';

export type Accepting = {
  repository: GitRepository;
  /** Resolves when it is on disk. */
  append: (delivery: Delivery) => Promise<Result<void>>;
  clock: () => Date;
};

/** `id`: the delivery's. `problem`: why our own disk would not have it. */
export type Accepted = { id: string } | { refused: string; problem?: Problem };

/**
 * Makes a push whose objects are there a delivery, and moves the branch:
 *
 *     (lock) branch is where the pusher saw it -> ref locked -> delivery appended to the inbox, on disk -> ref moved -> `ok`
 *
 * Who is killed after the append has recorded a delivery and told nobody. The pusher finds the branch where it was and pushes again,
 * which is the same delivery, by its id. So there is no branch that shows a commit which is not a delivery.
 */
export async function acceptMove(accepting: Accepting, move: BranchMove, lock: HeldLock): Promise<Accepted> {
  const { repository, append } = accepting;
  const { branch, before, after } = move;
  const [head, commit] = [await repository.head(branch), await repository.commit(after)];
  if (commit === undefined) return { refused: 'this is no commit' };
  if (head?.commit !== before) return { refused: movedWords(head?.commit) };
  const previous = head?.delivery;
  const changedPaths = before === undefined ? undefined : await repository.changedPaths(before, after);
  const id = await repository.makeDelivery({ branch, after, seconds: commit.seconds, ...(previous !== undefined && { previous }) }, lock);
  const prepared = await repository.prepareMove({ branch, to: id, ...(previous !== undefined && { from: previous }) }, lock);
  if (typeof prepared === 'string') return { refused: `the branch cannot be written: ${prepared.replace(/^fatal: /, '')}` };
  const written = await append(deliveryOf(id, { ...move, author: commit.author, changedPaths }, accepting.clock()));
  if (!written.ok) {
    await prepared.abort();
    return { refused: `${written.problem.what}: ${written.problem.why ?? ''}`, problem: written.problem };
  }
  await prepared.commit();
  return { id };
}

const movedWords = (commit: string | undefined): string =>
  commit === undefined ? 'the branch is not there any more' : `the branch is at ${commit.slice(0, 8)} now; fetch first`;

type Pushed = BranchMove & { author: string; changedPaths: readonly string[] | undefined };

/** As GitHub says it, as far as it goes: all that changed as if one commit had. */
function deliveryOf(id: string, { branch, before, after, author, changedPaths }: Pushed, now: Date): Delivery {
  const commits = changedPaths && [{ id: after, added: [], removed: [], modified: changedPaths }];
  const body = { ref: `refs/heads/${branch}`, before: before ?? null, after, author: { name: author }, ...(commits && { commits }) };
  return {
    source: gitSource,
    id,
    kind: 'push',
    branch,
    ...(before !== undefined && { before }),
    after,
    receivedAt: now.toISOString(),
    body: Buffer.from(JSON.stringify(body)),
  };
}
