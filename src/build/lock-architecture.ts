import type { Lock } from '../architecture/lock.ts';
import type { Architecture } from '../architecture/model.ts';
import type { Commit, Repository } from '../architecture/repository.ts';
import { byCodeUnit } from '../canonical-json.ts';
import type { CommitId } from '../digest.ts';
import type { Engine } from '../engine/engine.ts';
import type { ImageDetail } from '../engine/image.ts';
import type { Report } from '../events.ts';
import { done, failed, type Result } from '../result.ts';
import { fetchRepository } from '../architecture/fetch-repository.ts';
import { pullLimitMs } from './bases.ts';
import { mapBounded } from '../bounded.ts';
import { componentsOf } from './component-names.ts';
import { mirrorsFolder, splitAddress } from './foreign-repository.ts';
import { namedImages } from './named-images.ts';
import { systemBases } from './system-images.ts';

/** `update`: what is pinned already is looked up again. `lock`: the one there is. `commit`: what is locked, `folder` its architecture's. */
export type LockRequest = {
  engine: Engine;
  repository: Repository;
  report: Report;
  cacheFolder: string;
  architecture: Architecture;
  commit: Commit;
  folder: string;
  lock?: Lock;
  update: boolean;
};

/**
 * The lock an architecture needs: every external image its Dockerfiles name and the ones Changeless stands on, every other
 * repository. Pins that are there stay unless `update`; pins nobody needs go. Images are fetched where the engine has
 * none of that name.
 */
export async function lockArchitecture(request: LockRequest): Promise<Result<Lock>> {
  const described = await request.engine.describe();
  if (!described.ok) return described;
  const repositories = await lockRepositories(request);
  if (!repositories.ok) return repositories;
  const { repository, cacheFolder, architecture, commit, folder } = request;
  const evaluated = { architecture, commit, folder, lock: { version: 1 as const, images: {}, repositories: repositories.value } };
  const names = await namedImages({ repository, cacheFolder, evaluated, platform: described.value.platform });
  if (!names.ok) return names;
  const images = await lockImages(request, [...new Set([...Object.values(systemBases), ...names.value])].toSorted(byCodeUnit));
  return images.ok ? done({ version: 1, images: images.value, repositories: repositories.value }) : images;
}

async function lockImages(request: LockRequest, names: readonly string[]): Promise<Result<Record<string, string>>> {
  // A name that carries its digest is its own pin.
  const pins = await mapBounded(
    names.filter((name) => !name.includes('@')),
    4,
    async (name) => await lockImage(request, name),
  );
  const bad = pins.find((pin) => !pin.ok);
  if (bad !== undefined && !bad.ok) return bad;
  return done(Object.fromEntries(pins.flatMap((pin) => (pin.ok ? [pin.value] : []))));
}

async function lockImage({ engine: { images }, lock, update, report }: LockRequest, name: string): Promise<Result<[string, string]>> {
  const kept = lock !== undefined && Object.hasOwn(lock.images, name) ? lock.images[name] : undefined;
  if (kept !== undefined && !update) return done([name, kept]);
  const present = await images.inspect(name);
  const mayBeNewer = update && present !== undefined && present.digests.length > 0;
  const pulled = present === undefined || mayBeNewer ? await images.pull(name, pullLimitMs) : undefined;
  const image = pulled?.ok === true ? pulled.value : present;
  if (image !== undefined) {
    const pin = pinFor(image);
    report({ type: 'base-resolved', base: name, digest: pin, how: image === present ? 'present' : 'pulled' });
    return done([name, pin]);
  }
  return failed({
    ...(pulled?.ok === false && pulled.problem),
    code: 'BASE_UNAVAILABLE',
    what: `${name} is neither on the engine nor to be had from a registry`,
    safe: 'architecture.lock was not changed',
  });
}

/** A registry's digest means the same on every machine; an id is all an image has that came from no registry. */
const pinFor = ({ digests, id }: ImageDetail): string => digests[0] ?? id;

type Repositories = Record<string, { commit: CommitId }>;

async function lockRepositories(request: LockRequest): Promise<Result<Repositories>> {
  const addresses = new Set(
    componentsOf(request.architecture).flatMap(({ source: { repository } }) => (repository === undefined ? [] : [repository])),
  );
  const locked: Repositories = {};
  for (const address of [...addresses].toSorted(byCodeUnit)) {
    const commit = await lockRepository(request, address);
    if (!commit.ok) return commit;
    locked[address] = { commit: commit.value };
  }
  return done(locked);
}

/** `address#reference` names a branch or tag; without it, the default branch. */
async function lockRepository({ lock, update, cacheFolder }: LockRequest, source: string): Promise<Result<CommitId>> {
  const kept = lock !== undefined && Object.hasOwn(lock.repositories, source) ? lock.repositories[source] : undefined;
  if (kept !== undefined && !update) return done(kept.commit);
  const { address, reference } = splitAddress(source);
  const mirror = await fetchRepository(address, { cacheFolder: mirrorsFolder(cacheFolder) });
  if (!mirror.ok) return mirror;
  try {
    const resolved = await mirror.value.resolve(reference ?? 'refs/changeless/head');
    if (!resolved.ok) return resolved;
    if (resolved.value.id === 'uncommitted') throw new Error('a mirror has no working folder');
    return done(resolved.value.id);
  } finally {
    await mirror.value.close();
  }
}
