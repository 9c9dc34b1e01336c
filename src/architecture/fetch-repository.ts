import { mkdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { type GitAnswer, runGit } from './git.ts';
import { isRepositoryAddress } from './repository-address.ts';
import { openMirror, type Repository } from './repository.ts';
import { type CommitId, digestOfBytes, short } from '../digest.ts';
import { done, failed, type Result } from '../result.ts';

export type FetchOptions = {
  /** Mirrors are kept here, one folder per address; may be shared by several processes. */
  cacheFolder: string;
  /** Nothing is fetched when the mirror has this commit already. Without it, the mirror is brought up to date. */
  commit?: CommitId;
  limitMs?: number;
};

const LIMIT_MS = 120_000;

/**
 * A bare mirror of another repository, with all its branches and tags: `resolve('main')` or `resolve('HEAD')` to pin a
 * commit, `commit` to build the pinned one. REPOSITORY_UNAVAILABLE when the address is refused or nothing answers.
 * May be repeated; the caller closes what it gets.
 */
export async function fetchRepository(address: string, options: FetchOptions): Promise<Result<Repository>> {
  if (!isRepositoryAddress(address))
    return unavailable(address, 'the address is not one of https, http, ssh, git or file, nor an absolute path');
  const folder = path.join(path.resolve(options.cacheFolder), `${short(digestOfBytes(address))}.git`);
  const created = await createMirror(folder);
  if (created.code !== 0) return unavailable(address, created.stderr);
  const mirror = openMirror(folder);
  if (options.commit !== undefined && (await mirror.resolve(options.commit)).ok) return done(mirror);
  const problem = await fetchInto(folder, address, options);
  if (problem === undefined) return done(mirror);
  await mirror.close();
  return unavailable(address, problem);
}

async function createMirror(folder: string): Promise<GitAnswer> {
  const exists = await stat(path.join(folder, 'HEAD')).then(
    () => true,
    () => false,
  );
  if (exists) return { code: 0, stdout: '', stderr: '' };
  await mkdir(folder, { recursive: true });
  return runGit({ folder, arguments: ['init', '--quiet', '--bare', '--template=', folder], configuration: 'objects' });
}

// A pinned commit may be on no branch any more: it is asked for by its id when the branches did not bring it.
async function fetchInto(folder: string, address: string, { commit, limitMs = LIMIT_MS }: FetchOptions): Promise<string | undefined> {
  const fetch = (references: readonly string[]): Promise<GitAnswer> =>
    runGit({
      folder,
      arguments: [
        `--git-dir=${folder}`,
        'fetch',
        '--quiet',
        '--prune',
        '--force',
        '--no-recurse-submodules',
        '--no-write-fetch-head',
        '--end-of-options',
        address,
        ...references,
      ],
      configuration: 'person',
      limitMs,
    });
  const all = await fetch(['+refs/heads/*:refs/heads/*', '+refs/tags/*:refs/tags/*', '+HEAD:refs/changeless/head']);
  if (all.code !== 0) return all.stderr;
  await runGit({
    folder,
    arguments: [`--git-dir=${folder}`, 'update-ref', '--no-deref', 'HEAD', 'refs/changeless/head'],
    configuration: 'objects',
  });
  if (commit === undefined) return undefined;
  const probe = openMirror(folder);
  const there = (await probe.resolve(commit)).ok;
  await probe.close();
  if (there) return undefined;
  const one = await fetch([`+${commit}:refs/changeless/pinned/${commit}`]);
  return one.code === 0 ? undefined : one.stderr;
}

const unavailable = (address: string, why: string) =>
  failed({
    code: 'REPOSITORY_UNAVAILABLE' as const,
    what: `the repository ${withoutPassword(address)} could not be fetched`,
    why: withoutPassword(why.trim()) || 'git gave no reason',
    safe: 'nothing was changed',
    next: 'see that the address is right and that git can reach it: git ls-remote -- <address>',
  });

const withoutPassword = (text: string): string => text.replace(/(:\/\/)[^/@\s]+@/g, '$1…@');
