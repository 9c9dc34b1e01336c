import { compare, type Pair, type Row, roundsOr } from './measure.ts';
import { startProbe, switchedAt } from './probe.ts';
import { makeScaleWorld } from './scale-world.ts';
import type { Ground, World } from './world.ts';

const ROUNDS = roundsOr(6);

/** (a2) The same change of one component, its image built: command → all traffic, in a large architecture against a small one. */
export async function scale(ground: Ground): Promise<{ rows: Row[] }> {
  const small = await makeTwoVersions(ground, { components: 10, port: 18083 });
  const large = await makeTwoVersions(ground, { components: 1000, port: 18084 });
  const pairs: Pair[] = [];
  for (let round = -1; round < ROUNDS; round += 1) {
    const floor = await change(small);
    const measured = await change(large);
    if (round >= 0) pairs.push({ measured, floor });
  }
  return {
    rows: [
      compare({ bench: 'scale', what: 'up, one image changed → all traffic new: 1,000 components; floor: the same with 10' }, pairs, 1.2),
    ],
  };
}

type Versions = { world: World; commits: [string, string]; live: 0 | 1 };

async function makeTwoVersions(ground: Ground, size: { components: number; port: number }): Promise<Versions> {
  const world = await makeScaleWorld(ground, size);
  world.edit('apps/web-1/server.mjs', "'r0'", "'r1'");
  const second = await world.commit();
  await world.changeless('up');
  return { world, commits: [`${second}~1`, second], live: 1 };
}

async function change(versions: Versions): Promise<number> {
  const { world, commits } = versions;
  await world.settled();
  versions.live = versions.live === 0 ? 1 : 0;
  const probe = startProbe({ port: world.port, host: 'web-1.localhost', pattern: /"revision":"([^"]+)"/ });
  const ran = await world.changeless('up', commits[versions.live]);
  const switched = switchedAt(await probe.stop());
  if (switched === undefined) throw new Error('up did not change who serves');
  return switched - ran.startedAt;
}
