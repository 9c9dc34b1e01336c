import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { Lock } from '../architecture/lock.ts';
import type { Architecture } from '../architecture/model.ts';
import { createMemoryEngine } from '../engine/memory/create-memory-engine.ts';
import type { MemoryEngine } from '../engine/memory/memory-engine.ts';
import type { Problem } from '../problem.ts';
import type { Result } from '../result.ts';
import { makeBuildWorld, type BuildWorld, type Tree } from './build-fixture.ts';
import { buildRelease, type BuildOptions, type BuiltRelease } from './build-release.ts';
import { planRelease, type PlannedRelease } from './plan-release.ts';

/** For tests: a repository with an `api` and a `db`, their bases pinned and on a memory engine. */
export type Workshop = BuildWorld & { engine: MemoryEngine; lock: Lock };

const tree: Tree = { 'api/Dockerfile': 'FROM debian:bookworm-slim\n', 'db/Dockerfile': 'FROM debian:bookworm-slim\n' };

export async function workshopOf(
  t: TestContext,
  { clone, engine = createMemoryEngine() }: { clone?: string; engine?: MemoryEngine } = {},
): Promise<Workshop> {
  const lock: Lock = {
    version: 1,
    images: {
      'debian:bookworm-slim': engine.images.add({ tag: 'debian:bookworm-slim' }),
      'node:24-bookworm-slim': engine.images.add({ tag: 'node:24-bookworm-slim' }),
    },
    repositories: {},
  };
  const world = await makeBuildWorld({ engine, ...(clone === undefined ? { tree } : { clone }) });
  t.after(world.close);
  return { ...world, engine, lock };
}

export async function plan(workshop: Workshop, architecture: Architecture): Promise<PlannedRelease> {
  const planned = await planRelease(workshop.context, await workshop.evaluate(architecture, workshop.lock));
  assert.ok(planned.ok, JSON.stringify(planned));
  return planned.value;
}

export const tryBuild = async (
  workshop: Workshop,
  planned: PlannedRelease,
  options: Partial<BuildOptions> = {},
): Promise<Result<BuiltRelease>> => await buildRelease(workshop.context, planned, { signal: new AbortController().signal, ...options });

export function problemOf(result: Result<unknown>): Problem {
  assert.ok(!result.ok);
  return result.problem;
}

export const tagsOf = async ({ engine }: Workshop): Promise<string[]> =>
  (await engine.images.list({ reference: 'changeless/*/*' })).flatMap(({ tags }) => tags).toSorted();

/** How many images have no name. */
export const unnamedOf = async ({ engine }: Workshop): Promise<number> =>
  (await engine.images.list({})).filter(({ tags }) => tags.length === 0).length;

/** Lets everything else that is ready go on first. */
export const inOneTurn = async <Value>(value: Promise<Value>): Promise<Value> =>
  await new Promise((resolve) => setImmediate(() => resolve(value)));
