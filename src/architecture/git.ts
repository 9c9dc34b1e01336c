import { spawn, type ChildProcess } from 'node:child_process';

/** What a finished git process said. `code` is -1 when git could not be started. */
export type GitAnswer = { code: number; stdout: string; stderr: string };

export type GitCall = {
  folder: string;
  arguments: readonly string[];
  /** `objects`: git's own defaults and nothing else, for answers that must be the same for everyone. `person`: with the user's configuration (ignored files, line endings, credentials). */
  configuration: 'objects' | 'person';
  environment?: Readonly<Record<string, string>>;
  limitMs?: number;
};

/** Before every command: nothing a repository's own configuration names is run (hooks, monitors, pagers, signature programs). */
const SAFE = [
  '--no-pager',
  '--no-optional-locks',
  '--literal-pathspecs',
  '-c',
  'core.hooksPath=/dev/null',
  '-c',
  'core.fsmonitor=false',
  '-c',
  'protocol.ext.allow=never',
  '-c',
  'log.showSignature=false',
  '-c',
  'gc.auto=0',
  '-c',
  'maintenance.auto=false',
  '-c',
  'core.quotePath=false',
] as const;

/** Starts git. Its standard streams are pipes; the caller reads them. */
export function startGit(call: GitCall, stdin: 'pipe' | 'ignore'): ChildProcess {
  return spawn('git', [...SAFE, ...call.arguments], {
    cwd: call.folder,
    env: { ...gitEnvironment(call.configuration), ...call.environment },
    stdio: [stdin, 'pipe', 'pipe'],
    ...(call.limitMs !== undefined && { timeout: call.limitMs, killSignal: 'SIGKILL' }),
  });
}

/** Runs git to its end. Never rejects. */
export function runGit(call: GitCall): Promise<GitAnswer> {
  const { promise, resolve } = Promise.withResolvers<GitAnswer>();
  const child = startGit(call, 'ignore');
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout?.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr?.on('data', (chunk: Buffer) => stderr.push(chunk));
  const text = (chunks: Buffer[]): string => Buffer.concat(chunks).toString('utf8');
  child.on('error', (error) => resolve({ code: -1, stdout: '', stderr: error.message }));
  // A program that git has started for the connection may outlive it, and holds its streams.
  child.on('exit', (_, signal) => {
    if (signal === null) return;
    child.stdout?.destroy();
    child.stderr?.destroy();
  });
  child.on('close', (code, signal) => {
    const stopped =
      signal === null ? '' : `git was stopped (${signal})${call.limitMs === undefined ? '' : ` after ${call.limitMs / 1000} s`}`;
    resolve({ code: code ?? 1, stdout: text(stdout), stderr: text(stderr) + stopped });
  });
  return promise;
}

// Variables of a surrounding git (a hook's GIT_DIR, GIT_INDEX_FILE) would point it elsewhere; those of the connection are the user's.
const KEPT = /^GIT_(SSH|SSH_COMMAND|SSH_VARIANT|ASKPASS|SSL_\w+|PROXY_\w+|CONFIG_GLOBAL|CONFIG_SYSTEM|CONFIG_NOSYSTEM)$/;

function gitEnvironment(configuration: GitCall['configuration']): Record<string, string> {
  const inherited = Object.entries(process.env).filter(
    ([name, value]) => value !== undefined && (!name.startsWith('GIT_') || KEPT.test(name)),
  );
  return {
    ...(Object.fromEntries(inherited) as Record<string, string>),
    GIT_TERMINAL_PROMPT: '0',
    GIT_NO_REPLACE_OBJECTS: '1',
    GIT_ALLOW_PROTOCOL: 'https:http:ssh:git:file',
    LC_ALL: 'C',
    ...(configuration === 'objects' && { GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' }),
  };
}
