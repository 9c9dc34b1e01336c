import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { App, Architecture, ComponentSource, Service, Store } from '../architecture/model.ts';
import type { Lock } from '../architecture/lock.ts';
import { openRepository, type Repository } from '../architecture/repository.ts';
import type { Engine } from '../engine/engine.ts';
import type { ChangelessEvent } from '../events.ts';
import type { BuildContext, Evaluated } from './build-context.ts';
import { systemBases } from './system-images.ts';

/** For tests: a folder that goes away, a git repository in it, and all that planning and building need. */
export type BuildWorld = {
  folder: string;
  context: BuildContext;
  repository: Repository;
  events: ChangelessEvent[];
  evaluate: (architecture: Architecture, lock: Lock, revision?: string) => Promise<Evaluated>;
  close: () => Promise<void>;
};

const identity = {
  GIT_AUTHOR_NAME: 'a',
  GIT_AUTHOR_EMAIL: 'a@example.com',
  GIT_COMMITTER_NAME: 'a',
  GIT_COMMITTER_EMAIL: 'a@example.com',
  GIT_AUTHOR_DATE: '2026-01-01T00:00:00Z',
  GIT_COMMITTER_DATE: '2026-01-01T00:00:00Z',
};

/** Runs git in a folder, with nobody's configuration and fixed names and dates. */
export const git = (folder: string, ...words: string[]): string =>
  execFileSync('git', ['-C', folder, '-c', 'gc.auto=0', '-c', 'maintenance.auto=false', ...words], {
    encoding: 'utf8',
    env: { ...process.env, ...identity, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_SYSTEM: '/dev/null' },
  }).trim();

/** A file's contents; `link:target` makes a symbolic link, `run:text` an executable. */
export type Tree = Readonly<Record<string, string>>;

export async function writeTree(folder: string, tree: Tree): Promise<void> {
  for (const [name, contents] of Object.entries(tree)) {
    const file = path.join(folder, name);
    await mkdir(path.dirname(file), { recursive: true });
    if (contents.startsWith('link:')) await symlink(contents.slice('link:'.length), file);
    else await writeFile(file, contents.replace(/^run:/, ''), { mode: contents.startsWith('run:') ? 0o755 : 0o644 });
  }
}

/** Writes the files and commits all of them. */
export async function commitTree(folder: string, tree: Tree): Promise<string> {
  await writeTree(folder, tree);
  git(folder, 'add', '--all');
  git(folder, 'commit', '--quiet', '--allow-empty', '--message', 'a change');
  return git(folder, 'rev-parse', 'HEAD');
}

/** The proxy's folder of this package. */
export const ownProxy = path.resolve(import.meta.dirname, '../../images/proxy');

export async function makeBuildWorld({
  engine,
  tree,
  clone,
  proxy,
}: {
  engine: Engine;
  tree?: Tree;
  clone?: string;
  proxy?: string;
}): Promise<BuildWorld> {
  const root = await mkdtemp(path.join(tmpdir(), 'changeless-build-'));
  const folder = path.join(root, 'work');
  await mkdir(folder);
  await writeTree(root, {
    'bundle/controller.js': '// the controller\n',
    'bundle/evaluator.js': '// the evaluator\n',
    'proxy/Dockerfile': `FROM ${systemBases.debian}\n`,
    'proxy/entrypoint.sh': 'run:#!/bin/sh\n',
    'package/package.json': '{"version":"0.0.0"}',
    'package/dist/cli/main.js': '// the command line\n',
    'package/images/git/Dockerfile': `FROM ${systemBases.node}\n`,
  });
  if (clone === undefined) git(folder, 'init', '--quiet');
  else git(root, 'clone', '--quiet', clone, folder);
  if (tree !== undefined) await commitTree(folder, tree);
  const opened = await openRepository(folder);
  if (!opened.ok) throw new Error(opened.problem.what);
  const repository = opened.value;
  const events: ChangelessEvent[] = [];
  const context: BuildContext = {
    engine,
    repository,
    assets: {
      version: '0.0.0',
      bundle: path.join(root, 'bundle'),
      proxy: proxy ?? path.join(root, 'proxy'),
      git: path.join(root, 'package/images/git'),
      package: path.join(root, 'package'),
    },
    report: (event) => events.push(event),
    cacheFolder: path.join(root, 'cache'),
  };
  const close = async (): Promise<void> => {
    await repository.close();
    await rm(root, { recursive: true, force: true });
  };
  return { folder, context, repository, events, evaluate: evaluateIn(repository), close };
}

const evaluateIn =
  (repository: Repository) =>
  async (architecture: Architecture, lock: Lock, revision = 'HEAD'): Promise<Evaluated> => {
    const commit = await repository.resolve(revision);
    if (!commit.ok) throw new Error(commit.problem.what);
    return { architecture, commit: commit.value, folder: '', lock };
  };

export const sourceOf = (folder: string, more: Partial<ComponentSource> = {}): ComponentSource => ({
  folder,
  dockerfile: 'Dockerfile',
  arguments: {},
  tests: [],
  ...more,
});

export const serviceOf = (folder: string, more: Partial<Service> = {}): Service => ({
  build: sourceOf(folder),
  port: 8080,
  entry: true,
  replicas: 1,
  health: { kind: 'http', path: '/healthz', status: 200, timeoutMs: 10_000 },
  settings: {},
  files: {},
  writable: {},
  limits: { memoryBytes: 64 * 2 ** 20, processes: 32 },
  stores: [],
  outbound: false,
  stopMs: 1000,
  ...more,
});

export const appOf = (name: string, services: Readonly<Record<string, Service>>): App => ({
  hosts: [`${name}.localhost`],
  services,
  drain: { limitMs: 5000 },
});

export const storeOf = (folder: string, more: Partial<Store> = {}): Store => ({
  build: sourceOf(folder),
  port: 6379,
  data: '/data',
  health: { kind: 'tcp', timeoutMs: 10_000 },
  settings: {},
  files: {},
  writable: {},
  limits: { memoryBytes: 64 * 2 ** 20, processes: 32 },
  stopMs: 1000,
  ...more,
});

export const architectureOf = (more: Partial<Architecture> = {}): Architecture => ({
  name: 'bld',
  core: { publish: [{ address: '127.0.0.1', port: 8080 }] },
  apps: {},
  stores: {},
  agents: {},
  environments: {},
  ...more,
});
