import assert from 'node:assert/strict';
import { Random } from '../test/simulation/random.ts';
import { imagesOf, removeArchitecture } from './engine-calls.ts';
import { fillEntropyWorld, range, type Said, write } from './entropy-world.ts';
import { inventoryOf, releasesWithImages } from './inventory.ts';
import { type Row, summarise, type Summary } from './measure.ts';
import { killAll, liveLong } from './long-life.ts';
import { settledMemory } from './memory.ts';
import { git, type Ground, makeWorld, type World } from './world.ts';

const PORT = 18098;
const ROLLOUTS = Number(process.env['BENCH_ROLLOUTS'] ?? 100);
const SEED = Number(process.env['BENCH_SEED'] ?? 7);
/** What runs, ten it can go back to, and ten more. */
const RETAINED = 21;
const MOST_GROWTH = 1.2;

/** What a commit changes; the number makes it another each time. */
const changes: readonly ((number: string) => Said)[] = [
  (number) => ({ web: { settings: { NUMBER: number } } }),
  (number) => ({ web: { settings: { NUMBER: number } }, other: { settings: { NUMBER: number } } }),
  (number) => ({ notes: { settings: { NUMBER: number } } }),
  (number) => ({ drainMs: 10_000 + Number(number) }),
  (number) => ({ otherHost: `other-${number}.localhost` }),
  (number) => ({ extra: true, other: { settings: { NUMBER: number } } }),
  (number) => ({ rollout: 'per-app', web: { settings: { NUMBER: number } } }),
];

/** What cannot become live, and what is said of it. */
const failures: Readonly<Record<string, { says: RegExp; of: (number: string) => Said }>> = {
  unhealthy: {
    says: /ROLLOUT_UNHEALTHY/,
    of: (number) => ({ web: { settings: { NUMBER: number }, health: { path: '/never', timeoutMs: 3_000 } } }),
  },
  'held-back': {
    says: /APPS_HELD_BACK/,
    of: (number) => ({
      rollout: 'per-app',
      web: { settings: { NUMBER: number }, health: { path: '/never', timeoutMs: 3_000 } },
      other: { settings: { NUMBER: number } },
    }),
  },
  'failing-step': {
    says: /STEP_FAILED/,
    of: (number) => ({ web: { settings: { NUMBER: number }, steps: { before: { check: { command: ['false'] } } } } }),
  },
  'broken-store': { says: /ROLLOUT_/, of: (number) => ({ notes: { settings: { NUMBER: number, BROKEN: 'yes' } } }) },
};

const kinds = ['up', 'up', 'up', 'rollback', 'rollback', 'scale', 'scale', 'loss', 'failure', 'failure'] as const;

/**
 * Rollouts, rollbacks, failures, losses and scaling in an order of chance; then what the engine holds and what the controller
 * holds, beside a fresh install of the same release; then one controller that lives through a lot.
 */
export async function entropy(ground: Ground): Promise<{ rows: Row[]; timelines: object }> {
  const world = await makeWorld(ground, { label: 'entropy', port: PORT, fill: fillEntropyWorld });
  const first = await git(world.folder, 'rev-parse', 'HEAD');
  await world.changeless('up', first);
  const memory = { start: await settledMemory(world), middle: undefined as Summary | undefined };
  const course = new Course(world);
  console.error(`    ${ROLLOUTS} rollouts in the order of BENCH_SEED=${SEED}`);
  for (let number = 1; number <= ROLLOUTS; number += 1) {
    await course.next(number);
    if (number === ROLLOUTS >> 1) memory.middle = await settledMemory(world);
  }
  await world.changeless('scale', 'web.web', String(range.min));
  await world.changeless('up', first);
  const end = await settledMemory(world);
  const there = await inventoryOf(world.name);
  const [releases, images] = [await releasesWithImages(world.name), (await imagesOf(world.name)).length];
  await world.changeless('gc', '--keep', '1000');
  const unreferred = images - (await imagesOf(world.name)).length;
  await removeArchitecture(world.name);
  await world.changeless('up', first);
  const fresh = await settledMemory(world);
  const differences = differencesOf(there, await inventoryOf(world.name));
  const life = await liveLong(world, Math.max(3, Math.round(ROLLOUTS / 10)));
  return {
    rows: [
      {
        ...countRow(
          `lines of the engine's inventory that differ from a fresh install after ${course.told.length} rollouts`,
          differences.length,
          0,
        ),
        note: course.summary(),
      },
      countRow('releases whose images are there', releases, RETAINED),
      countRow('images that no release refers to', unreferred, 0),
      memoryRow('controller, after half of them; floor: a fresh one', memory.middle ?? end, fresh),
      memoryRow('controller, after all of them; floor: a fresh one', end, fresh),
      memoryRow('controller, first of all; floor: a fresh one', memory.start, fresh),
      memoryRow(
        `one controller after ${life.restored} restored and ${life.scaled} scaled; floor: the same after its warm-up`,
        life.after,
        life.before,
      ),
    ],
    timelines: { order: course.told, differences, memory: { ...memory, end, fresh }, life },
  };
}

/** The rollouts that are made one after the other, and what became of them. */
class Course {
  readonly told: string[] = [];
  readonly #world: World;
  readonly #random = new Random(SEED);
  /** Releases there are to go back to. */
  #before = 0;

  constructor(world: World) {
    this.#world = world;
  }

  async next(number: number): Promise<void> {
    const asked = this.#random.pick(kinds);
    const kind = asked === 'rollback' && this.#before === 0 ? 'up' : asked;
    const what = kind === 'failure' ? this.#random.pick(Object.keys(failures)) : kind;
    const began = performance.now();
    if (kind === 'scale') await this.#world.changeless('scale', 'web.web', String(this.#random.between(range.min, range.max)));
    if (kind === 'loss') await killAll(this.#world.name, ({ role }) => role !== 'path' && this.#random.chance(0.5));
    if (kind === 'failure') await this.#fails(what, number);
    else if (kind === 'rollback') await this.#goesBack();
    else await this.#goesOn(number);
    this.told.push(what);
    console.error(`    ${number}: ${what}, ${((performance.now() - began) / 1000).toFixed(1)} s`);
  }

  async #goesOn(number: number): Promise<void> {
    await this.#commit(this.#random.pick(changes)(String(number)));
    await this.#world.changeless('up');
    this.#before = Math.min(10, this.#before + 1);
  }

  async #goesBack(): Promise<void> {
    // A release that is live but for an app that was held back is that again.
    await this.#world.changeless('rollback').catch((error: unknown) => assert.match(String(error), /APPS_HELD_BACK/));
    this.#before -= 1;
  }

  async #fails(name: string, number: number): Promise<void> {
    const failure = failures[name];
    assert.ok(failure);
    await this.#commit(failure.of(String(number)));
    await assert.rejects(this.#world.changeless('up'), failure.says);
    // Where one app is held back the rest of its release is live.
    if (name === 'held-back') this.#before = Math.min(10, this.#before + 1);
  }

  async #commit(said: Said): Promise<void> {
    write(this.#world, said);
    await this.#world.commit();
  }

  summary(): string {
    const counts = Map.groupBy(this.told, (each) => each);
    return [...counts].map(([what, { length }]) => `${length} × ${what}`).join(', ');
  }
}

/** Each line that one has more often than the other, marked with the side it is on. */
function differencesOf(after: readonly string[], fresh: readonly string[]): string[] {
  const lacks = (all: readonly string[], from: readonly string[]): string[] => {
    const left = [...from];
    return all.filter((line) => {
      const at = left.indexOf(line);
      if (at >= 0) left.splice(at, 1);
      return at < 0;
    });
  };
  const found = [...lacks(after, fresh).map((line) => `+ ${line}`), ...lacks(fresh, after).map((line) => `- ${line}`)];
  for (const line of found) console.error(`    ${line}`);
  return found;
}

const countRow = (what: string, count: number, most: number): Row => ({
  bench: 'entropy',
  what,
  unit: 'count',
  measured: summarise([count]),
  bar: { says: most === 0 ? '0' : `≤ ${most}`, hit: count <= most },
});

function memoryRow(what: string, measured: Summary, floor: Summary): Row {
  const ratio = summarise([measured.median / floor.median]);
  const bar = { says: `≤ ${MOST_GROWTH} ×`, hit: ratio.median <= MOST_GROWTH };
  return { bench: 'entropy', what, unit: 'MB', measured, floor, ratio, bar };
}
