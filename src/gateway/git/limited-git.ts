import { spawn, type ChildProcess } from 'node:child_process';

export type GitRun = {
  arguments: readonly string[];
  repository: string;
  stdin?: 'ignore' | 'pipe';
  environment?: Readonly<Record<string, string>>;
  limits: GitLimits;
  /** A lock that the process has too, so that it is held as long as any of them lives. */
  holds?: number;
};

/** What one push may take. `packBytes`: as it comes; `memoryBytes`: of each process; times are of processor and of the clock. */
export type GitLimits = { packBytes: number; memoryBytes: number; processorSeconds: number; wallMs: number };

export const usualLimits: GitLimits = {
  packBytes: 512 * 1024 * 1024,
  memoryBytes: 320 * 1024 * 1024,
  processorSeconds: 300,
  wallMs: 900_000,
};

/** Said on the command line of every git, so that nothing written in the repository or on the machine changes what it does. */
const settings = ({ packBytes }: GitLimits): Record<string, string> => ({
  'core.hooksPath': '/dev/null',
  'core.fsmonitor': 'false',
  'core.fsync': 'all',
  'core.logAllRefUpdates': 'false',
  'gc.auto': '0',
  'maintenance.auto': 'false',
  'receive.autogc': 'false',
  'receive.fsckObjects': 'true',
  // Old histories have these, which GitHub takes, too; they mislead nobody.
  'receive.fsck.zeroPaddedFilemode': 'warn',
  'receive.fsck.missingSpaceBeforeDate': 'warn',
  'receive.fsck.badTimezone': 'warn',
  // A pack is kept as it came: one file, synced once.
  'receive.unpackLimit': '1',
  'receive.maxInputSize': String(packBytes),
  'receive.shallowUpdate': 'false',
  // What is larger is read in pieces, never whole.
  'core.bigFileThreshold': '1m',
  'core.deltaBaseCacheLimit': '32m',
  'pack.threads': '1',
});

/**
 * Starts git without a shell, with nothing of our own environment, and with limits that hold for all it starts; it leads a group of
 * processes, so that `endGit` ends them all.
 */
export function startGit({ arguments: words, repository, stdin = 'ignore', environment, limits, holds }: GitRun): ChildProcess {
  const said = Object.entries(settings(limits)).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const limited = [`--data=${limits.memoryBytes}`, `--cpu=${limits.processorSeconds}`, '--core=0'];
  return spawn('prlimit', [...limited, 'git', ...said, ...words], {
    cwd: repository,
    env: { PATH: process.env['PATH'] ?? '', HOME: '/nonexistent', LC_ALL: 'C', ...gitEnvironment(repository), ...environment },
    stdio: [stdin, 'pipe', 'pipe', ...(holds === undefined ? [] : [holds])],
    detached: true,
  });
}

const gitEnvironment = (repository: string): Record<string, string> => ({
  GIT_DIR: repository,
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_TERMINAL_PROMPT: '0',
  GIT_NO_REPLACE_OBJECTS: '1',
  GIT_ALLOW_PROTOCOL: 'none',
});

/** It and all that it has started. */
export function endGit({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

/** `bytes`: standard output, as it came. */
export type GitSaid = { code: number; stdout: string; bytes: Buffer; stderr: string };

/** What a git that was started says until it has ended; it is ended after its time. Never rejects. */
export function gitEnd(child: ChildProcess, { wallMs }: GitLimits): Promise<GitSaid> {
  const { promise, resolve } = Promise.withResolvers<GitSaid>();
  const [stdout, stderr] = [new Gathered(), new Gathered()];
  child.stdout?.on('data', (chunk: Buffer) => stdout.add(chunk));
  child.stderr?.on('data', (chunk: Buffer) => stderr.add(chunk));
  const late = setTimeout(() => endGit(child), wallMs);
  child.once('error', (error) => {
    clearTimeout(late);
    resolve({ code: -1, stdout: '', bytes: Buffer.alloc(0), stderr: error.message });
  });
  child.once('close', (code) => {
    clearTimeout(late);
    const bytes = stdout.bytes();
    resolve({ code: code ?? -1, stdout: bytes.toString('utf8'), bytes, stderr: stderr.bytes().toString('utf8') });
  });
  return promise;
}

/** As much of an output as anybody reads. */
class Gathered {
  #chunks: Buffer[] = [];
  #length = 0;

  add(chunk: Buffer): void {
    if (this.#length < 1024 * 1024) this.#chunks.push(chunk);
    this.#length += chunk.length;
  }

  bytes(): Buffer {
    return Buffer.concat(this.#chunks);
  }
}
