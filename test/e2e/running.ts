import { spawn } from 'node:child_process';

export type Answer = { code: number; stdout: string; stderr: string };

/** A command that runs. */
export type Running = {
  readonly ended: Promise<Answer>;
  /** Resolves once what it said on stdout and stderr matches; rejects when it ended without having said it. */
  said(pattern: RegExp): Promise<void>;
  /** What Ctrl-C does. */
  interrupt(): void;
  /** Writes to its standard input. */
  tell(text: string): void;
  /** Closes its standard input. */
  finish(): void;
};

export type Command = {
  program: string;
  words: readonly string[];
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  /** Called with each whole line of stdout as it comes. */
  onLine?: (line: string) => void;
};

/** Starts a command whose output can be waited for. Its exit code is an answer, not an error. */
export function start({ program, words, cwd, env, onLine }: Command): Running {
  const child = spawn(program, words, { cwd, env: env ?? process.env, stdio: ['pipe', 'pipe', 'pipe'] });
  const heard = new Heard(onLine);
  child.stdout.setEncoding('utf8').on('data', (text: string) => heard.out(text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => heard.err(text));
  child.stdin.on('error', () => undefined); // It may end without reading.
  const ended = new Promise<Answer>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      heard.end(`${program} ${words.join(' ')}`);
      resolve({ code: code ?? (signal === 'SIGKILL' ? 137 : 1), stdout: heard.stdout, stderr: heard.stderr });
    });
  });
  return {
    ended,
    said: (pattern) => heard.said(pattern),
    interrupt: () => child.kill('SIGINT'),
    tell: (text) => child.stdin.write(text),
    finish: () => child.stdin.end(),
  };
}

/** Runs a command to its end. */
export function run(command: Command): Promise<Answer> {
  const running = start(command);
  running.finish();
  return running.ended;
}

type Waiter = { pattern: RegExp; resolve: () => void; reject: (error: Error) => void };

class Heard {
  stdout = '';
  stderr = '';
  #line = '';
  #over: string | undefined;
  #waiters: Waiter[] = [];
  readonly #onLine: Command['onLine'];

  constructor(onLine: Command['onLine']) {
    this.#onLine = onLine;
  }

  out(text: string): void {
    this.stdout += text;
    const lines = (this.#line + text).split('\n');
    this.#line = lines.pop() ?? '';
    for (const line of lines) this.#onLine?.(line);
    this.#tell();
  }

  err(text: string): void {
    this.stderr += text;
    this.#tell();
  }

  end(command: string): void {
    this.#over = command;
    for (const { reject, pattern } of this.#waiters.splice(0)) reject(this.#neverSaid(pattern));
  }

  said(pattern: RegExp): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiters.push({ pattern, resolve, reject });
      this.#tell();
      if (this.#over !== undefined) this.end(this.#over);
    });
  }

  #tell(): void {
    const met = this.#waiters.filter(({ pattern }) => pattern.test(this.stdout) || pattern.test(this.stderr));
    this.#waiters = this.#waiters.filter((waiter) => !met.includes(waiter));
    for (const { resolve } of met) resolve();
  }

  #neverSaid(pattern: RegExp): Error {
    return new Error(`${this.#over ?? ''} ended without saying ${String(pattern)}\n${this.stdout}${this.stderr}`);
  }
}
