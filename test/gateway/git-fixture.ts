import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { inboxFilesIn, type InboxFiles } from '../../src/gateway/inbox-files.ts';
import { GitRepository } from '../../src/gateway/git/git-repository.ts';
import { gitHandler } from '../../src/gateway/git/git-server.ts';
import type { GitServing } from '../../src/gateway/git/git-serving.ts';
import { type GitLimits, usualLimits } from '../../src/gateway/git/limited-git.ts';
import { type GatewayEvent, webhookServer } from '../../src/gateway/webhook-server.ts';
import type { Delivery } from '../../src/ledger/delivery.ts';
import { Secret } from '../../src/secret.ts';
import { realTimers } from '../../src/timers.ts';
import { readAll, writerOf } from './inbox-fixture.ts';
import { webhooks } from './webhook-fixture.ts';

export const password = 'it is: a secret';

export type Disposing = Pick<TestContext, 'after'>;

export function ownFolder(context: Disposing, name: string): string {
  const folder = mkdtempSync(path.join(tmpdir(), `changeless-${name}-`));
  context.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 10 }));
  return folder;
}

export type Remote = { port: number; url: string; volume: string; repository: GitRepository; files: InboxFiles; events: GatewayEvent[] };

export type RemoteOptions = Partial<Pick<GitServing, 'follow' | 'append'>> & {
  limits?: Partial<GitLimits>;
  volume?: string;
  inbox?: string;
};

/** A gateway's server with a git remote `shop`, on a port of its own. */
export async function remote(context: Disposing, options: RemoteOptions = {}): Promise<Remote> {
  const volume = options.volume ?? ownFolder(context, 'git');
  const files = inboxFilesIn(options.inbox ?? ownFolder(context, 'inbox'));
  const writer = writerOf(files);
  const limits = { ...usualLimits, ...options.limits };
  const repository = new GitRepository(volume, { name: 'repository.git', limits });
  const events: GatewayEvent[] = [];
  const report = (event: GatewayEvent): void => void events.push(event);
  const clock = (): Date => new Date();
  const append = options.append ?? ((delivery: Delivery) => writer.append(delivery));
  const random = (characters: number): string =>
    Math.random()
      .toString(36)
      .padEnd(14, '0')
      .slice(2, 2 + characters);
  const own = { name: 'shop', secret: new Secret(`older\n${password}\n`), repository, append, clock, report, random, timers: realTimers };
  const git = gitHandler({ ...own, ...(options.follow && { follow: options.follow }) });
  const server = webhookServer({ webhooks, append, clock, report, git });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  context.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  return { port, url: urlOf(port), volume, repository, files, events };
}

export const urlOf = (port: number, word = password): string => `http://who:${encodeURIComponent(word)}@127.0.0.1:${port}/git/shop.git`;

export type Said = { code: number | string; stdout: string; stderr: string };

const environment = {
  PATH: process.env['PATH'],
  HOME: '/nonexistent',
  LC_ALL: 'C',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_TERMINAL_PROMPT: '0',
  GIT_AUTHOR_NAME: 'Ada Lovelace',
  GIT_AUTHOR_EMAIL: 'ada@example.com',
  GIT_COMMITTER_NAME: 'Ada Lovelace',
  GIT_COMMITTER_EMAIL: 'ada@example.com',
};

/** A person's clone. */
export class Clone {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async make(context: Disposing): Promise<Clone> {
    const clone = new Clone(ownFolder(context, 'clone'));
    await clone.git('init', '--quiet', '--initial-branch', 'main');
    await clone.git('config', 'gc.auto', '0');
    return clone;
  }

  git(...words: string[]): Promise<Said> {
    return new Promise((resolve) => {
      execFile('git', ['-C', this.folder, ...words], { env: environment, maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) =>
        resolve({ code: error?.code ?? 0, stdout, stderr }),
      );
    });
  }

  /** A git that goes on while the test does something else. It leads a group, as what a terminal ends. */
  start(...words: string[]) {
    return spawn('git', ['-C', this.folder, ...words], { env: environment, stdio: ['ignore', 'ignore', 'pipe'], detached: true });
  }

  /** A commit that writes the text into the file; its id. */
  async commit(text: string | Buffer, file = 'file'): Promise<string> {
    writeFileSync(path.join(this.folder, file), text);
    await this.git('add', '--all');
    const said = await this.git('commit', '--quiet', '-m', typeof text === 'string' ? `Say ${text}` : 'Bytes');
    if (said.code !== 0) throw new Error(said.stderr);
    return this.id();
  }

  async id(name = 'HEAD'): Promise<string> {
    return (await this.git('rev-parse', name)).stdout.trim();
  }

  push(url: string, ...words: string[]): Promise<Said> {
    return this.git('push', url, ...words);
  }
}

/** What is in the inbox, as short as a test can say it. */
export async function pushesIn(files: InboxFiles): Promise<{ branch?: string; before?: string; after?: string; id: string }[]> {
  const all = await readAll(files, { chunkBytes: 1_000_000 });
  return all.map(({ id, branch, before, after }) => ({
    id,
    ...(branch !== undefined && { branch }),
    ...(before !== undefined && { before }),
    ...(after !== undefined && { after }),
  }));
}
