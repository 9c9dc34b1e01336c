import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { World } from './world.ts';

const run = promisify(execFile);

// Hooks and signing are the user's, for the user's commits; and nothing may ask a question.
const quietly = ['-c', 'core.hooksPath=/dev/null', '-c', 'commit.gpgsign=false'];

async function git(world: World, folder: string, words: readonly string[]): Promise<string> {
  const { stdout } = await run('git', ['-C', folder, ...quietly, ...words], { env: { ...world.env, GIT_TERMINAL_PROMPT: '0' } });
  return stdout.trim();
}

const succeeds = (work: Promise<unknown>): Promise<boolean> =>
  work.then(
    () => true,
    () => false,
  );

/** Makes the folder a repository of its own, unless it is in one that does not ignore it. */
export async function ensureGitRepository(world: World, folder: string): Promise<void> {
  const inside = await succeeds(git(world, folder, ['rev-parse', '--show-toplevel']));
  const ignored = inside && (await succeeds(git(world, folder, ['check-ignore', '--quiet', folder])));
  if (!inside || ignored) await git(world, folder, ['init', '--quiet', '--initial-branch=main']);
}

/** Commits all of the folder, and nothing else of the repository; the commit's id. */
export async function commitAll(world: World, folder: string): Promise<string> {
  const known = await succeeds(git(world, folder, ['var', 'GIT_AUTHOR_IDENT']));
  const author = known ? [] : ['-c', 'user.name=Changeless', '-c', 'user.email=changeless@localhost'];
  await git(world, folder, ['add', '--all', '--', '.']);
  await git(world, folder, [...author, 'commit', '--quiet', '--message', 'An architecture that never changes in place', '--', '.']);
  return git(world, folder, ['rev-parse', 'HEAD']);
}
