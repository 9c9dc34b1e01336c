import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { parseCommit } from '../../architecture/commit.ts';
import type { CommitId } from '../../digest.ts';
import { syncFolder } from '../inbox-files.ts';
import { Room } from '../room.ts';
import { gitEnd, startGit, type GitLimits, type GitRun, type GitSaid } from './limited-git.ts';
import { takeLock, type HeldLock } from './repository-lock.ts';

/** A branch as the remote shows it. `delivery`: the object that stands for the last one of it. */
export type Head = { branch: string; commit: string; delivery: string };

/** Below it are the branches. A delivery is a commit whose parents are what was pushed and the delivery before it. */
const deliveriesRef = 'refs/changeless/deliveries/';

/** Below it is what was received and is not decided yet, so that nobody takes its objects for nobody's. */
export const receivedRef = 'refs/changeless/received/';

const emptyTree = '4b825dc642cb6eb9a060e54bf8d69288fbee4904';

const mostPathBytes = 256 * 1024;

/** Older than this, what was begun has no one who goes on with it. */
const abandonedMs = 24 * 3_600_000;

/** The bare repository that gateways share, as far as they need it. */
export class GitRepository {
  readonly folder: string;
  readonly limits: GitLimits;
  /** So that those who wait in this process are no processes. */
  readonly #turn = new Room(1);

  constructor(volume: string, { name, limits }: { name: string; limits: GitLimits }) {
    this.folder = path.join(volume, name);
    this.limits = limits;
  }

  /** Makes it where it is not there, and removes what pushes left that were killed long ago. */
  async prepare(now: Date): Promise<void> {
    await mkdir(this.folder, { recursive: true });
    await this.locked(async (lock) => {
      // We have the lock, so whoever left these is dead.
      for (const file of ['config', 'HEAD', 'packed-refs']) await rm(path.join(this.folder, `${file}.lock`), { force: true });
      await this.#did(['init', '--quiet', '--bare', this.folder], lock);
      // Whoever has a delivery may fetch its commit by its id.
      await this.#did(['config', 'uploadpack.allowAnySHA1InWant', 'true'], lock);
      await this.#did(['hash-object', '-t', 'tree', '-w', '/dev/null'], lock);
      await this.#sweep(now, lock);
    });
  }

  /** Alone, among all gateways that share the repository: whoever has been killed in it has left nothing that lives. */
  async locked<T>(work: (lock: HeldLock) => Promise<T>): Promise<T> {
    const place = this.#turn.take(1);
    await place.granted;
    try {
      const lock = await takeLock(`${this.folder}.lock`);
      try {
        return await work(lock);
      } finally {
        await lock.release();
      }
    } finally {
      this.#turn.give(1);
    }
  }

  run(words: readonly string[], more: Pick<GitRun, 'environment' | 'holds'> = {}): Promise<GitSaid> {
    return gitEnd(startGit({ arguments: words, repository: this.folder, limits: this.limits, ...more }), this.limits);
  }

  /** Every branch, or the one. */
  async heads(branch = ''): Promise<Head[]> {
    const said = await this.#did(['for-each-ref', '--format=%(objectname)%00%(parent)%00%(refname)', `${deliveriesRef}${branch}`]);
    return said.stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => {
        const [delivery = '', parents = '', ref = ''] = line.split('\0');
        return { branch: ref.slice(deliveriesRef.length), commit: parents.split(' ')[0] ?? '', delivery };
      });
  }

  /** The head of a branch; a name that is also a folder of others is no branch. */
  async head(branch: string): Promise<Head | undefined> {
    return (await this.heads(branch)).find((head) => head.branch === branch);
  }

  /** Who wrote a commit, and when it was made; undefined for what is none. */
  async commit(id: string): Promise<{ author: string; seconds: number } | undefined> {
    const said = await this.run(['cat-file', 'commit', id]);
    if (said.code !== 0) return undefined;
    const { author, at } = parseCommit(id as CommitId, said.stdout);
    return { author, seconds: Math.max(0, Math.floor(Date.parse(at) / 1000) || 0) };
  }

  /** What differs between two commits; undefined when it is too much to say, or cannot be said as text. */
  async changedPaths(before: string, after: string): Promise<string[] | undefined> {
    const said = await this.run(['diff-tree', '-r', '-z', '--no-renames', '--name-only', before, after]);
    const paths = said.stdout.split('\0').filter(Boolean);
    return said.code !== 0 || said.bytes.length > mostPathBytes || said.stdout.includes('\ufffd') ? undefined : paths;
  }

  /**
   * The object of a delivery, on disk. It follows from what was pushed and the delivery before it alone: made again after a kill it
   * is the same, and there is no other way to come to the same one.
   */
  async makeDelivery(parts: { branch: string; after: string; seconds: number; previous?: string }, { handle }: HeldLock): Promise<string> {
    const { branch, after, seconds, previous } = parts;
    // Not earlier than its parent: git walks histories by date, and would walk all of it.
    const date = `@${seconds} +0000`;
    const person = { NAME: 'changeless', EMAIL: 'changeless', DATE: date };
    const environment = Object.fromEntries(
      Object.entries(person).flatMap(([key, value]) => [
        [`GIT_AUTHOR_${key}`, value],
        [`GIT_COMMITTER_${key}`, value],
      ]),
    );
    const parents = [after, ...(previous === undefined ? [] : [previous])].flatMap((parent) => ['-p', parent]);
    const said = await this.run(['commit-tree', emptyTree, ...parents, '-m', branch], { environment, holds: handle });
    if (said.code !== 0) throw gitFailed('commit-tree', said);
    const id = said.stdout.trim();
    await this.#syncFolders(['objects', `objects/${id.slice(0, 2)}`, 'objects/pack']);
    return id;
  }

  /** A branch's move that is certain to succeed, and has not happened: its ref is locked. A sentence when it cannot be. */
  async prepareMove({ branch, from, to }: { branch: string; from?: string; to: string }, { handle }: HeldLock): Promise<Move | string> {
    const ref = `${deliveriesRef}${branch}`;
    // We have the lock, so whoever left these is dead.
    for (const file of [ref, 'packed-refs']) await rm(path.join(this.folder, `${file}.lock`), { force: true }).catch(unlessNoFolder);
    const words = ['update-ref', '--stdin'];
    const child = startGit({ arguments: words, repository: this.folder, stdin: 'pipe', limits: this.limits, holds: handle });
    const ended = gitEnd(child, this.limits);
    child.stdin?.on('error', () => {});
    const isPrepared = new Promise<boolean>((resolve) => {
      let said = '';
      child.stdout?.on('data', (chunk: Buffer) => (said += chunk.toString()).includes('prepare: ok') && resolve(true));
      void ended.then(() => resolve(false));
    });
    child.stdin?.write(`start\n${from === undefined ? `create ${ref} ${to}` : `update ${ref} ${to} ${from}`}\nprepare\n`);
    if (!(await isPrepared)) return (await ended).stderr;
    return {
      commit: async () => {
        child.stdin?.end('commit\n');
        const said = await ended;
        if (said.code !== 0) throw gitFailed('update-ref', said);
        await this.#syncFolders([path.dirname(ref)]);
      },
      abort: async () => {
        child.stdin?.end('abort\n');
        await ended;
      },
    };
  }

  /** Forgets what was received under these names; its objects stay. */
  async forgetReceived(refs: readonly string[], lock: HeldLock): Promise<void> {
    await rm(path.join(this.folder, 'packed-refs.lock'), { force: true });
    for (const ref of refs) await this.run(['update-ref', '-d', ref], { holds: lock.handle });
  }

  async #sweep(now: Date, lock: HeldLock): Promise<void> {
    const isAbandoned = (at: number): boolean => now.getTime() - at > abandonedMs;
    const received = await this.#did(['for-each-ref', '--format=%(refname)', receivedRef], lock);
    const refs = received.stdout
      .split('\n')
      .filter((ref) => ref !== '' && isAbandoned(Number(ref.slice(receivedRef.length).split('-')[0])));
    await this.forgetReceived(refs, lock);
    const objects = path.join(this.folder, 'objects');
    for (const name of await readdir(objects)) {
      const folder = path.join(objects, name);
      if (!name.startsWith('tmp_objdir-')) continue;
      const made = await stat(folder).catch(() => undefined);
      if (made && isAbandoned(made.mtimeMs)) await rm(folder, { recursive: true, force: true });
    }
  }

  async #did(words: readonly string[], lock?: HeldLock): Promise<GitSaid> {
    const said = await this.run(words, lock && { holds: lock.handle });
    if (said.code !== 0) throw gitFailed(words[0] ?? '', said);
    return said;
  }

  // Git syncs files, not the folders that name them.
  async #syncFolders(folders: readonly string[]): Promise<void> {
    for (const folder of folders) await syncFolder(path.join(this.folder, folder));
  }
}

/** `commit`: it has happened, on disk. */
export type Move = { commit: () => Promise<void>; abort: () => Promise<void> };

// Of a name below a branch: git says what is wrong with it.
function unlessNoFolder(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOTDIR') throw error;
}

const gitFailed = (word: string, { code, stderr }: GitSaid): Error =>
  Object.assign(new Error(`git ${word} ended with ${code}: ${stderr.trim().slice(0, 500)}`), { code: 'EGIT' });
