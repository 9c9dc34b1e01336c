import { mkdtemp, rm, copyFile, realpath, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { didYouMean } from './closest.ts';
import { type Commit, parseCommit } from './commit.ts';
import { type GitCall, runGit } from './git.ts';
import { ObjectReader } from './object-reader.ts';
import { type FoundObject, TreeReader } from './tree-reader.ts';
import type { CommitId } from '../digest.ts';
import { done, failed, type Result } from '../result.ts';

export type { Commit } from './commit.ts';

/** An entry of a git tree. `path` has forward slashes. `mode` as git spells it (`100644`). */
export type TreeEntry = { path: string; mode: string; kind: 'blob' | 'tree' | 'commit'; object: string };

/**
 * What `list` gives. `folder`: only what is below that folder, with paths relative to it. `folders`: tree entries as well;
 * `foldersOnly`: nothing but them. Otherwise a recursive listing has no tree entries.
 */
export type ListOptions = { folder?: string; recursive: boolean; folders?: boolean; foldersOnly?: boolean };

/**
 * A git repository, read only. Objects come from one long-lived `cat-file --batch`; the working folder is never read but
 * by `changes` and `snapshot`. Nothing that the repository's configuration names is run.
 */
export interface Repository {
  /** Absolute path of its top folder; of a mirror, the mirror. */
  readonly top: string;
  /** A commit by any name git knows; UNKNOWN_COMMIT otherwise. */
  resolve(revision: string): Promise<Result<Commit>>;
  /** Paths that differ from HEAD, relative to the top, untracked ones included. */
  changes(): Promise<string[]>;
  /** The working folder as a tree object, without touching index or HEAD. `id` is `uncommitted`. */
  snapshot(): Promise<Result<Commit>>;
  /** Entries below a tree, or below a folder of it; empty when there is no such folder. */
  list(tree: string, options: ListOptions): Promise<TreeEntry[]>;
  /** The object at a path of a tree (`.` or empty: the tree itself); undefined when there is none. */
  find(tree: string, path: string): Promise<FoundObject | undefined>;
  /** The bytes of a blob. */
  read(object: string): Promise<Uint8Array>;
  /** Commits of `to` that `from` does not have, newest first. Empty when either is unknown. */
  between(from: string, to: string): Promise<Commit[]>;
  /** Sets `refs/changeless/<environment>/live`. */
  writeLive(environment: string, commit: CommitId): Promise<void>;
  close(): Promise<void>;
}

/**
 * The repository a folder is in, the folder's own or one above it. NOT_A_REPOSITORY when there is none, when it has no
 * working folder, or when git is not installed. Who owns the clone does not matter (root in a user's clone, a CI job in
 * its runner's): git's caution about other owners is about their configuration running programs, which ours cannot.
 */
export async function openRepository(folder: string): Promise<Result<Repository>> {
  const absolute = path.resolve(folder);
  const isFolder = await stat(absolute).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (!isFolder) return notARepository(absolute, 'there is no such folder');
  const answer = await runGit({
    folder: absolute,
    arguments: ['-c', 'safe.directory=*', 'rev-parse', '--show-toplevel', '--absolute-git-dir'],
    configuration: 'objects',
  });
  const [top, gitFolder] = answer.stdout.split('\n');
  if (answer.code === 0 && top && gitFolder) return done(new GitRepository({ top: await realpath(top), gitFolder }));
  return notARepository(absolute, whyNot(answer.code, answer.stderr));
}

/** A bare repository, by its own folder. */
export const openMirror = (gitFolder: string): Repository => new GitRepository({ top: gitFolder, gitFolder });

function whyNot(code: number, stderr: string): string {
  if (code === -1) return 'git could not be started; Changeless reads commits with it';
  if (stderr.includes('must be run in a work tree')) return 'the repository is bare: it has no working folder';
  return 'neither it nor a folder above it holds a .git';
}

const notARepository = (folder: string, why: string) =>
  failed({
    code: 'NOT_A_REPOSITORY' as const,
    what: `${folder} is not in a git repository`,
    why: `${why}; a release is made from a commit`,
    safe: 'nothing was changed',
    next: why.includes('.git')
      ? 'git init, commit, and run the command again; or name another folder with -C'
      : 'name another folder with -C',
  });

class GitRepository implements Repository {
  readonly top: string;
  readonly #gitFolder: string;
  readonly #contents: ObjectReader;
  readonly #trees: TreeReader;

  constructor({ top, gitFolder }: { top: string; gitFolder: string }) {
    this.top = top;
    this.#gitFolder = gitFolder;
    this.#contents = new ObjectReader(gitFolder);
    this.#trees = new TreeReader(this.#contents);
  }

  async resolve(revision: string): Promise<Result<Commit>> {
    // `-` and the empty name would be read as something else than a name.
    const name = revision === '' || revision.startsWith('-') ? undefined : `${revision}^{commit}`;
    const answer = name === undefined ? undefined : await this.#contents.ask(name);
    if (answer?.header?.kind !== 'commit') return this.#unknownCommit(revision);
    return done(parseCommit(answer.header.object as CommitId, answer.body.toString('utf8')));
  }

  async changes(): Promise<string[]> {
    const answer = await this.#inWorkingFolder([
      'status',
      '--porcelain=v1',
      '-z',
      '--no-renames',
      '--untracked-files=all',
      '--ignore-submodules=dirty',
    ]);
    if (answer.code !== 0) throw new Error(`git status: ${answer.stderr.trim()}`);
    return answer.stdout
      .split('\0')
      .filter(Boolean)
      .map((line) => line.slice(3));
  }

  async snapshot(): Promise<Result<Commit>> {
    const folder = await mkdtemp(path.join(tmpdir(), 'changeless-index-'));
    try {
      const environment = { GIT_INDEX_FILE: path.join(folder, 'index') };
      // With the real index to begin with, git need not read the files that did not change.
      await copyFile(path.join(this.#gitFolder, 'index'), environment.GIT_INDEX_FILE).catch(() => {});
      const added = await this.#inWorkingFolder(['add', '--all', '--', '.'], environment);
      const written = added.code === 0 ? await this.#inWorkingFolder(['write-tree'], environment) : added;
      if (written.code !== 0)
        return failed({
          code: 'UNCOMMITTED_CHANGES',
          what: 'the working folder could not be taken as it is',
          why: written.stderr.trim(),
          safe: 'nothing was changed',
          next: 'make the named files readable, or commit',
        });
      const head = await this.resolve('HEAD');
      const at = head.ok ? head.value.at : new Date(0).toISOString();
      return done({ id: 'uncommitted', tree: written.stdout.trim(), subject: 'the working folder, not committed', author: '', at });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  async list(tree: string, options: ListOptions): Promise<TreeEntry[]> {
    const found = await this.find(tree, options.folder ?? '');
    if (found?.kind !== 'tree') return [];
    const flags = [options.recursive && '-r', options.folders && '-t', options.foldersOnly && '-d'].filter(
      (flag) => typeof flag === 'string',
    );
    const answer = await this.#git(['ls-tree', '-z', '--full-tree', ...flags, found.object]);
    if (answer.code !== 0) throw new Error(`git ls-tree ${found.object}: ${answer.stderr.trim()}`);
    const entries = answer.stdout.split('\0').filter(Boolean).map(parseTreeEntry);
    return options.folders || options.foldersOnly || !options.recursive ? entries : entries.filter(({ kind }) => kind !== 'tree');
  }

  async find(tree: string, where: string): Promise<FoundObject | undefined> {
    const normal = path.posix.normalize(where).replace(/\/$/, '');
    return this.#trees.find(tree, normal === '.' ? '' : normal);
  }

  async read(object: string): Promise<Uint8Array> {
    const { header, body } = await this.#contents.ask(object);
    if (header === undefined) throw new Error(`git has no object ${object}`);
    return body;
  }

  async between(from: string, to: string): Promise<Commit[]> {
    const ends = await Promise.all([this.resolve(from), this.resolve(to)]);
    const [older, newer] = ends.map((end) => (end.ok ? end.value.id : undefined));
    if (older === undefined || newer === undefined) return [];
    const answer = await this.#git(['rev-list', '--end-of-options', newer, `^${older}`]);
    const commits = await Promise.all(
      answer.stdout
        .split('\n')
        .filter(Boolean)
        .map((id) => this.resolve(id)),
    );
    return commits.flatMap((commit) => (commit.ok ? [commit.value] : []));
  }

  async writeLive(environment: string, commit: CommitId): Promise<void> {
    const answer = await this.#git(['update-ref', '--end-of-options', `refs/changeless/${environment}/live`, commit]);
    if (answer.code !== 0) throw new Error(`git update-ref: ${answer.stderr.trim()}`);
  }

  async close(): Promise<void> {
    await this.#contents.close();
  }

  #git(words: readonly string[]) {
    return runGit({ folder: this.top, arguments: [`--git-dir=${this.#gitFolder}`, ...words], configuration: 'objects' });
  }

  // The user's configuration decides what counts as changed (ignored files, line endings), as in their own `git status`.
  async #inWorkingFolder(words: readonly string[], environment: GitCall['environment'] = {}) {
    const filters = await this.#repositoryFilters();
    return runGit({
      folder: this.top,
      arguments: [`--git-dir=${this.#gitFolder}`, `--work-tree=${this.top}`, ...filters, ...words],
      configuration: 'person',
      environment,
    });
  }

  /**
   * Settings that switch off the filter programs named in the repository's own configuration when the clone belongs to
   * somebody else: git would run them on every changed file (and `write-tree` does, on files as new as the index). Filters of the user's own configuration stay (git-lfs).
   */
  async #repositoryFilters(): Promise<string[]> {
    const owner = (await stat(this.#gitFolder)).uid;
    if (owner === process.getuid?.()) return [];
    const answer = await this.#git([
      'config',
      '--includes',
      '--name-only',
      '-z',
      '--get-regexp',
      '^filter\\..*\\.(clean|smudge|process|required)$',
    ]);
    const names = answer.stdout.split('\0').filter(Boolean);
    return names.flatMap((name) => ['-c', `${name}=${name.endsWith('.required') ? 'false' : ''}`]);
  }

  async #unknownCommit(revision: string) {
    const answer = await this.#git(['for-each-ref', '--format=%(refname:short)', 'refs/heads', 'refs/tags', 'refs/remotes']);
    const head = await this.#contents.ask('HEAD^{commit}');
    const empty = head.header === undefined && answer.stdout.trim() === '';
    const names = ['HEAD', ...answer.stdout.split('\n').filter(Boolean)];
    return failed({
      code: 'UNKNOWN_COMMIT' as const,
      what: empty
        ? `the repository ${this.top} has no commit yet`
        : `there is no commit ${revision}${didYouMean(revision, names)} in ${this.top}`,
      why: empty ? 'a release is made from a commit' : 'it is neither a branch, nor a tag, nor the beginning of one commit’s id',
      safe: 'nothing was changed',
      next: empty ? 'git add . && git commit, and run the command again' : 'git log --oneline --all   shows the commits there are',
    });
  }
}

// `<mode> <kind> <object>\t<path>`
function parseTreeEntry(line: string): TreeEntry {
  const tab = line.indexOf('\t');
  const [mode = '', kind = '', object = ''] = line.slice(0, tab).split(' ');
  return { path: line.slice(tab + 1), mode, kind: kind as TreeEntry['kind'], object };
}

/** A folder relative to its repository's top, with forward slashes; git says the top without symbolic links. */
export async function insideOf({ top }: Repository, folder: string): Promise<string> {
  return path
    .relative(top, await realpath(folder))
    .split(path.sep)
    .join('/');
}
