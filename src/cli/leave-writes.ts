import { short, type ReleaseId } from '../digest.ts';
import type { Engine, ObservedController } from '../engine/engine.ts';
import type { Manifest } from '../release/manifest.ts';
import { formatIn, movedStores, storeLeft } from '../rollout/left-writes.ts';
import { done, failed, type Result } from '../result.ts';
import { askRollouts } from './ask-ledger.ts';
import { flag, type Session } from './command.ts';
import { manifestOf } from './live.ts';
import { releaseById, type ReleaseImage } from './releases.ts';

type Going = { session: Session; engine: Engine; architecture: string; target: ReleaseImage; live: ObservedController | undefined };

/** So many rollouts are looked through for the one that began the data generation. */
const mostRollouts = 50;

/**
 * WRITES_LEFT when the release goes to a data generation that was let in before, which lacks what was written to the one that
 * is live since; --leave-writes confirms it.
 */
export async function checkWrites(going: Going): Promise<Result<void>> {
  const { session, engine, architecture, target, live } = going;
  if (!live || flag(session.input, 'leaveWrites')) return done(undefined);
  const [from, to] = await Promise.all([live, target].map(({ image }) => manifestOf(session.world, engine, image)));
  if (!from || !to || movedStores(from, to).length === 0) return done(undefined);
  const observed = await engine.observe(architecture);
  if (!observed.ok) return observed;
  const leaves = storeLeft(from, to, observed.value.volumes);
  return leaves === undefined ? done(undefined) : failed(writesLeft(leaves, going, await minutesOf(leaves, from, { ...going, live })));
}

/** Minutes since the data generation that is live was let in, as the ledger tells; undefined when it does not. */
async function minutesOf(store: string, from: Manifest, going: Going & { live: ObservedController }): Promise<number | undefined> {
  const { session, engine, architecture, live } = going;
  const asked = await askRollouts({ engine, architecture, image: live.image }, mostRollouts);
  if (!asked.ok) return undefined;
  let since: string | undefined;
  for (const { release, environment, startedAt, outcome } of asked.value) {
    if (outcome !== 'live' || environment !== live.environment) continue;
    const manifest = release === live.release ? from : await manifestOfRelease(going, release, environment);
    if (manifest === undefined || formatIn(manifest, store) !== formatIn(from, store)) break;
    since = startedAt;
  }
  return since === undefined ? undefined : Math.max(0, Math.ceil((Date.parse(session.world.clock()) - Date.parse(since)) / 60_000));
}

async function manifestOfRelease({ session, engine, architecture }: Going, release: ReleaseId, environment: string) {
  const image = await releaseById(engine, architecture, { release, environment });
  return image.ok ? manifestOf(session.world, engine, image.value.image) : undefined;
}

function writesLeft(store: string, { target, live }: Going, minutes: number | undefined) {
  const span = minutes === undefined ? 'everything' : `${minutes} ${minutes === 1 ? 'minute' : 'minutes'} of writes`;
  const release = short(target.release);
  return {
    code: 'WRITES_LEFT' as const,
    what: `release ${release} goes to another data generation of ${store}, and leaves ${span} behind`,
    why: `its data have a format of their own, and were kept as they were when ${live ? `that of release ${short(live.release)}` : 'another'} was let in`,
    safe: 'nothing was changed; no data generation is ever removed by going to another',
    next: `the same command with --leave-writes; or take the writes along: give stores.${store} a format of another name and an upgrade`,
  };
}
