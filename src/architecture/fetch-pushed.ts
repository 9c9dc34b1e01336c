import { mkdir, mkdtemp, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type CommitId, digestOfBytes, short } from '../digest.ts';
import type { Problem } from '../problem.ts';
import { done, failed, type Result } from '../result.ts';
import { isDeliveredAddress } from './deliver.ts';
import { type GitAnswer, runGit } from './git.ts';

/**
 * `cacheFolder`: what was fetched is kept there; several may use it at once. `reference`: below `refs/changeless/`, of this fetch alone: a
 * lock that a killed one left is in nobody's way. `credentials`: variables for git, as `credentialsFor` gives them.
 */
export type PushedRequest = {
  address: string;
  branch: string;
  commit: CommitId;
  reference: string;
  cacheFolder: string;
  credentials: Readonly<Record<string, string>>;
  limitMs?: number;
};

const fetchMs = 600_000;

/** Objects are checked as they come, and nothing is asked of anybody. */
const strict = ['-c', 'transfer.fsckObjects=true', '-c', 'http.lowSpeedLimit=1000', '-c', 'http.lowSpeedTime=30'];

/**
 * A folder that git takes for a clone, without a working tree, which has the commit. REPOSITORY_UNAVAILABLE when nothing answers in time;
 * PUSH_NOT_TAKEN when the commit is not on the branch, or not any more. May be repeated.
 */
export async function fetchPushed(request: PushedRequest): Promise<Result<string>> {
  const { address, branch, commit, cacheFolder } = request;
  if (!isDeliveredAddress(address)) return failed(unavailable(address, 'the address is none that a builder fetches from'));
  const folder = path.join(cacheFolder, 'repositories', short(digestOfBytes(address)));
  const git = (
    words: readonly string[],
    more: { environment?: Readonly<Record<string, string>>; limitMs?: number } = {},
  ): Promise<GitAnswer> => runGit({ folder, arguments: words, configuration: 'objects', ...more });
  const made = await ensureRepository(folder);
  if (made.code !== 0) return failed(unavailable(address, made.stderr));
  const reference = `refs/changeless/${request.reference}`;
  const to = ['--end-of-options', address, `+refs/heads/${branch}:${reference}`];
  const fetched = await git([...strict, 'fetch', '--quiet', '--no-tags', '--no-recurse-submodules', '--no-write-fetch-head', ...to], {
    environment: request.credentials,
    limitMs: request.limitMs ?? fetchMs,
  });
  if (fetched.code !== 0) return failed(unavailable(address, fetched.stderr));
  const isOnBranch = await git(['merge-base', '--is-ancestor', commit, reference]);
  return isOnBranch.code === 0 ? done(folder) : failed(notOnBranch(request));
}

/** An empty one, whole or not at all: git makes one file after another, and of two that do so at once one fails. */
async function ensureRepository(folder: string): Promise<GitAnswer> {
  await mkdir(path.dirname(folder), { recursive: true });
  const isThere = await stat(path.join(folder, '.git/HEAD')).then(
    () => true,
    () => false,
  );
  if (isThere) return { code: 0, stdout: '', stderr: '' };
  const fresh = await mkdtemp(`${folder}.`);
  const made = await runGit({ folder: fresh, arguments: ['init', '--quiet', '--template=', fresh], configuration: 'objects' });
  // Another was quicker: its own is as good.
  if (made.code === 0) await rename(fresh, folder).catch(() => undefined);
  await rm(fresh, { recursive: true, force: true });
  return made;
}

/**
 * The same of what was pushed to the gateway's own remote, whose bare repository is at hand: its objects are read where they lie. Whoever was
 * let push there has said of which branch the commit is.
 */
export async function takeOwn({ repository, commit, cacheFolder }: OwnRequest): Promise<Result<string>> {
  const folder = path.join(cacheFolder, 'repositories/own');
  const made = await ensureRepository(folder);
  if (made.code !== 0) return failed(unavailable(repository, made.stderr));
  // Whole or not at all: another run may be reading it.
  const alternates = path.join(folder, '.git/objects/info/alternates');
  await writeFile(`${alternates}.${process.pid}`, `${repository}/objects\n`);
  await rename(`${alternates}.${process.pid}`, alternates);
  const found = await runGit({ folder, arguments: ['cat-file', '-e', `${commit}^{commit}`], configuration: 'objects' });
  return found.code === 0 ? done(folder) : failed(unavailable(repository, `it has no commit ${commit}`));
}

export type OwnRequest = Pick<PushedRequest, 'commit' | 'cacheFolder'> & { repository: string };

const unavailable = (address: string, why: string): Problem => ({
  code: 'REPOSITORY_UNAVAILABLE',
  what: `${address} could not be fetched`,
  why: why.trim() || 'git gave no reason',
  safe: 'nothing was built or changed',
  next: 'see that deliver.repository is right, that it can be reached from here, and that deliver.secret opens it; then push again',
});

const notOnBranch = ({ address, branch, commit }: PushedRequest): Problem => ({
  code: 'PUSH_NOT_TAKEN',
  what: `commit ${commit.slice(0, 12)} is not on branch ${branch} of ${address}`,
  why: 'it never was, or the branch was rewritten since',
  safe: 'nothing was built or changed',
  next: `push to ${branch} what is to be there`,
});
