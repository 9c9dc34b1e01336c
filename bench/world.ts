import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { containersOf, removeArchitecture } from './engine-calls.ts';

const exec = promisify(execFile);
const packageFolder = path.resolve(import.meta.dirname, '..');

/** What the whole run shares: a copy of the package, so that nobody's rebuild changes it meanwhile, and a cache of its own. */
export type Ground = {
  folder: string;
  package: string;
  cache: string;
  /** Commands that run now. */
  children: Set<ChildProcess>;
  onCleanUp: (work: () => Promise<void>) => void;
  /** Ends the commands and removes all that was made; done once, however often it is called. */
  cleanUp: () => Promise<void>;
};

/** One event of `--json`. */
export type Told = { type: string; at: string; [key: string]: unknown };

/** A command that ended. Times are those of `performance.now()`; an event's is the one its line came at. */
export type Ran = { startedAt: number; endedAt: number; events: (Told & { seenAt: number })[] };

export function makeGround(): Ground {
  const folder = mkdtempSync(path.join(tmpdir(), 'changeless-bench-'));
  const copy = path.join(folder, 'package');
  for (const part of ['bin', 'dist', 'images', 'examples', 'package.json'])
    cpSync(path.join(packageFolder, part), path.join(copy, part), { recursive: true });
  symlinkSync(path.join(packageFolder, 'node_modules'), path.join(copy, 'node_modules'));
  const work: (() => Promise<void>)[] = [];
  const children = new Set<ChildProcess>();
  let cleaning: Promise<void> | undefined;
  // What a command would still start must not come after what is removed.
  const cleanUp = async (): Promise<void> => {
    await Promise.all([...children].map((child) => ended(child)));
    for (const each of work.toReversed()) await each().catch((cause: unknown) => console.error(String(cause)));
    rmSync(folder, { recursive: true, force: true });
  };
  return {
    folder,
    package: copy,
    cache: path.join(folder, 'cache'),
    children,
    onCleanUp: (each) => void work.push(each),
    cleanUp: () => (cleaning ??= cleanUp()),
  };
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.once('close', () => resolve());
    child.kill('SIGKILL');
  });
}

/** An architecture of its own, made from an example, in a git repository of its own. */
export type World = {
  name: string;
  folder: string;
  port: number;
  /** Replaces text of a file; throws where it is not there. */
  edit: (file: string, from: string | RegExp, to: string) => void;
  commit: () => Promise<string>;
  /** Runs a command to its end; throws when it fails. */
  changeless: (...words: string[]) => Promise<Ran>;
  /** Resolves when nothing on the engine has changed for a while and one controller is left. */
  settled: () => Promise<void>;
};

/** Makes the repository and its first commit. `fill` writes what lies in it; without it, it is the example `streaming`. */
export async function makeWorld(
  ground: Ground,
  { label, port, fill = fillWithExample }: { label: string; port: number; fill?: (world: Pick<World, 'name' | 'folder' | 'port'>) => void },
): Promise<World> {
  const name = `bench-${label}-${randomBytes(2).toString('hex')}`;
  const folder = path.join(ground.folder, name);
  mkdirSync(folder);
  ground.onCleanUp(() => removeArchitecture(name));
  const world: World = {
    name,
    folder,
    port,
    edit: (file, from, to) => edit(path.join(folder, file), from, to),
    commit: () => commitAll(folder),
    changeless: (...words) => changeless(ground, world, words),
    settled: () => settled(name),
  };
  fill(world);
  await git(folder, 'init', '--quiet', '--initial-branch=main');
  await world.commit();
  await world.changeless('lock');
  await world.commit();
  return world;
}

function fillWithExample({ name, folder, port }: Pick<World, 'name' | 'folder' | 'port'>): void {
  cpSync(path.join(packageFolder, 'examples/streaming'), folder, { recursive: true });
  const file = path.join(folder, 'architecture.ts');
  edit(file, /name: '[^']*'/, `name: '${name}'`);
  edit(file, 'port: 8080 }] },', `port: ${port} }] },`);
}

function edit(file: string, from: string | RegExp, to: string): void {
  const before = readFileSync(file, 'utf8');
  const after = before.replace(from, to);
  if (after === before) throw new Error(`${file} has no ${String(from)}`);
  writeFileSync(file, after);
}

export async function git(folder: string, ...words: string[]): Promise<string> {
  const quiet = [
    '-c',
    'core.hooksPath=/dev/null',
    '-c',
    'commit.gpgsign=false',
    '-c',
    'user.name=Bench',
    '-c',
    'user.email=bench@localhost',
  ];
  const { stdout } = await exec('git', ['-C', folder, ...quiet, ...words], { maxBuffer: 2 ** 28 });
  return stdout.trim();
}

async function commitAll(folder: string): Promise<string> {
  await git(folder, 'add', '--all');
  await git(folder, 'commit', '--quiet', '--message', 'A change');
  return git(folder, 'rev-parse', 'HEAD');
}

/** Runs a command of the ground's package in a world's folder to its end; throws when it fails. */
export function changeless(ground: Ground, { folder, name }: World, words: readonly string[]): Promise<Ran> {
  const startedAt = performance.now();
  const env = { ...process.env, XDG_CACHE_HOME: ground.cache };
  const program = path.join(ground.package, 'bin/changeless.mjs');
  const child = spawn(process.execPath, [program, ...words, '-C', folder, '--json'], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  ground.children.add(child);
  child.once('close', () => ground.children.delete(child));
  const ran: Ran = { startedAt, endedAt: startedAt, events: [] };
  let rest = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    ran.events.push(...lines.flatMap(eventOf).map((event) => ({ ...event, seenAt: performance.now() })));
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (errors += chunk));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      ran.endedAt = performance.now();
      if (code === 0) resolve(ran);
      else reject(new Error(`changeless ${words.join(' ')} in ${name} ended with ${code}:\n${errors}`));
    });
  });
}

function eventOf(line: string): Told[] {
  try {
    const value = JSON.parse(line) as Told;
    return typeof value.type === 'string' ? [value] : [];
  } catch {
    return [];
  }
}

const CALM_MS = 1_500;

async function settled(architecture: string): Promise<void> {
  const deadline = performance.now() + 60_000;
  let seen = '';
  for (let since = performance.now(); performance.now() - since < CALM_MS; await pause(100)) {
    const containers = await containersOf(architecture);
    const controllers = containers.filter(({ Labels }) => Labels['dev.changeless.role'] === 'controller');
    const now = containers.map(({ Id, State }) => `${Id} ${State}`).join();
    if (now !== seen || controllers.length > 1) since = performance.now();
    if (performance.now() > deadline) throw new Error(`${architecture} did not settle within a minute`);
    seen = now;
  }
}
