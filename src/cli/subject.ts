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
 * last evaluated; only when it was not is the architecture evaluated.
 */
export async function architectureName(session: Session): Promise<Result<string>> {
  const { world, input } = session;
  const file = await memoryFile(world, input.folder);
  const kept = file === undefined ? undefined : await readFile(file, 'utf8').catch(() => undefined);
  if (kept !== undefined && kept !== '') return done(kept);
  const delivery = await world.delivery();
  const evaluated = await delivery.evaluate({ place: placeOf(session), revision: 'HEAD', worktree: false, report: () => {} });
  if (!evaluated.ok) return evaluated;
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

async function keep(file: string, name: string): Promise<void> {
  try {
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, name);
  } catch {
    return;
  }
}

async function memoryFile(world: World, folder: string): Promise<string | undefined> {
  try {
    const run = promisify(execFile);
    const { stdout } = await run('git', ['-C', folder, 'rev-parse', '--show-toplevel', '--show-prefix', 'HEAD:./architecture.ts'], {
      env: { ...world.env, GIT_TERMINAL_PROMPT: '0' },
    });
    return path.join(world.cacheFolder, 'names', createHash('sha256').update(stdout).digest('hex'));
  } catch {
    return undefined;
  }
}
