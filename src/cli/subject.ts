import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Engine } from '../engine/engine.ts';
import { done, type Result } from '../result.ts';
import { placeOf, type Session } from './command.ts';
import type { World } from './world.ts';

/** The architecture a command is about: its name is all that is needed to find it on the engine. */
export type Subject = { engine: Engine; architecture: string };

/** Opens the engine and tells the architecture's name, both at once. */
export async function subjectOf(session: Session): Promise<Result<Subject>> {
  const [engine, architecture] = await Promise.all([session.world.engine(), architectureName(session)]);
  if (!engine.ok) return engine;
  if (!architecture.ok) return architecture;
  return done({ engine: engine.value, architecture: architecture.value });
}

/**
 * The name that the committed architecture.ts gives. It was remembered by the file's git object when the architecture was
 * last evaluated; only when it was not is the architecture evaluated. Where that fails, the name is the last one that is remembered of
 * an earlier commit: a mistake in architecture.ts keeps nobody from seeing what is live, or going back.
 */
export async function architectureName(session: Session): Promise<Result<string>> {
  const { world, input } = session;
  const file = await memoryFile(world, input.folder);
  const kept = await nameIn(file);
  if (kept !== undefined) return done(kept);
  const delivery = await world.delivery();
  const evaluated = await delivery.evaluate({ place: placeOf(session), revision: 'HEAD', worktree: false, report: () => {} });
  if (!evaluated.ok) {
    const earlier = await earlierName(world, input.folder);
    return earlier === undefined ? evaluated : done(earlier);
  }
  const { name } = evaluated.value.architecture;
  await evaluated.value.close();
  if (file !== undefined) await keep(file, name);
  return done(name);
}

/** Remembers the name for the commit at HEAD; a cache folder that cannot be written costs time only. */
export async function rememberName({ world, input }: Session, name: string): Promise<void> {
  const file = await memoryFile(world, input.folder);
  if (file !== undefined) await keep(file, name);
}

async function nameIn(file: string | undefined): Promise<string | undefined> {
  const kept = file === undefined ? '' : await readFile(file, 'utf8').catch(() => '');
  return kept === '' ? undefined : kept;
}

/** So many commits that changed architecture.ts may be broken, one after another. */
const MOST_BROKEN = 20;

async function earlierName(world: World, folder: string): Promise<string | undefined> {
  const commits = await git(world, ['-C', folder, 'log', '--format=%H', `--max-count=${MOST_BROKEN}`, '--', 'architecture.ts']);
  for (const commit of commits?.split('\n') ?? []) {
    const name = commit === '' ? undefined : await nameIn(await memoryFile(world, folder, commit));
    if (name !== undefined) return name;
  }
  return undefined;
}

async function keep(file: string, name: string): Promise<void> {
  try {
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, name);
  } catch {
    return;
  }
}

async function memoryFile(world: World, folder: string, revision = 'HEAD'): Promise<string | undefined> {
  const told = await git(world, ['-C', folder, 'rev-parse', '--show-toplevel', '--show-prefix', `${revision}:./architecture.ts`]);
  return told === undefined ? undefined : path.join(world.cacheFolder, 'names', createHash('sha256').update(told).digest('hex'));
}

/** What git says; undefined where it refuses. */
async function git(world: World, words: readonly string[]): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)('git', words, { env: { ...world.env, GIT_TERMINAL_PROMPT: '0' } });
    return stdout;
  } catch {
    return undefined;
  }
}
