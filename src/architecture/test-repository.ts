// For tests: real git repositories in temporary folders, the same bytes in every run.
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { openRepository, type Repository } from './repository.ts';

export type Tree = { readonly [file: string]: string };

/** A folder that is gone when the test is over. */
export async function temporaryFolder(): Promise<{ folder: string } & AsyncDisposable> {
  const folder = await realpath(await mkdtemp(path.join(tmpdir(), 'changeless-test-')));
  return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
}

export type TestRepository = AsyncDisposable & {
  folder: string;
  repository: Repository;
  git(...words: string[]): Promise<string>;
  write(tree: Tree): Promise<void>;
  /** Writes and commits; gives the commit's id. */
  commit(tree: Tree, message?: string): Promise<string>;
};

/** An empty repository with its branch `main`. */
export async function testRepository(): Promise<TestRepository> {
  const { folder, [Symbol.asyncDispose]: remove } = await temporaryFolder();
  const git = (...words: string[]): Promise<string> => runTestGit(folder, words);
  const write = (tree: Tree): Promise<void> => writeTree(folder, tree);
  await git('init', '--quiet', '--initial-branch=main');
  const opened = await openRepository(folder);
  if (!opened.ok) throw new Error(opened.problem.what);
  const repository = opened.value;
  return {
    folder,
    repository,
    git,
    write,
    commit: async (tree, message = 'a commit') => {
      await write(tree);
      await git('add', '--all');
      await git('commit', '--quiet', '--allow-empty', '--message', message);
      return (await git('rev-parse', 'HEAD')).trim();
    },
    [Symbol.asyncDispose]: async () => {
      await repository.close();
      await remove();
    },
  };
}

export async function writeTree(folder: string, tree: Tree): Promise<void> {
  for (const [file, contents] of Object.entries(tree)) {
    await mkdir(path.dirname(path.join(folder, file)), { recursive: true });
    await writeFile(path.join(folder, file), contents);
  }
}

async function runTestGit(folder: string, words: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)('git', ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.com', ...words], {
    cwd: folder,
    env: {
      PATH: process.env['PATH'] ?? '',
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_AUTHOR_DATE: '2026-01-02T03:04:05Z',
      GIT_COMMITTER_DATE: '2026-01-02T03:04:05Z',
    },
  });
  return stdout;
}
