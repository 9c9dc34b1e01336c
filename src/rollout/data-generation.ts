import type { Observation, ObservedVolume } from '../engine/engine.ts';
import type { Problem } from '../problem.ts';
import { dataVolume } from './ground.ts';
import type { Outfit } from './outfit.ts';
import { generationsOf } from './trial.ts';
import { current } from './unit-state.ts';

/**
 * The data generation that the wanted one is to be made of: the one the serving path's server has. Undefined where the wanted
 * one was let in before, or needs none. One that is there and was never let in is what an earlier attempt left.
 */
export function sourceOf(outfit: Outfit, observed: Observation): ObservedVolume | undefined {
  const { data, owner } = outfit.unit;
  if (!data?.upgrade) return undefined;
  const all = generationsOf(owner.name, observed);
  if (all.find(({ name }) => name === data.volume.name)?.bodies) return undefined;
  const others = all.filter(({ name, unfinished }) => name !== data.volume.name && !unfinished);
  const now = current(outfit.state)?.body;
  const noted = others.filter(({ bodies }) => bodies !== undefined);
  return others.find(({ bodies }) => now !== undefined && bodies?.includes(now)) ?? only(noted) ?? only(others);
}

const only = <Item>(items: readonly Item[]): Item | undefined => (items.length === 1 ? items[0] : undefined);

/** UPGRADE_MISSING for the first store whose data have another format than the release wants, with no step from the one to the other. */
export function missingUpgrade(outfits: readonly Outfit[], observed: Observation): Problem | undefined {
  const found = outfits.find((outfit) => lacksUpgrade(outfit, observed));
  if (!found) return undefined;
  const { name } = found.unit.owner;
  const there = generationsOf(name, observed).map((volume) => formatWords(name, volume.name));
  return {
    code: 'UPGRADE_MISSING',
    what: `${name} wants ${formatWords(name, found.unit.data?.volume.name ?? '')}, and its data have ${there.join(' and ')}`,
    safe: 'nothing was touched',
    ...(found.unit.data?.upgrade ? unclear(name) : unsaid(name, there)),
  };
}

const unclear = (name: string): Pick<Problem, 'why' | 'next'> => ({
  why: `nothing of ${name} runs, so it cannot be told which of its data generations is the latest`,
  next: 'run the release that had it, and then this one',
});

const unsaid = (name: string, there: readonly string[]): Pick<Problem, 'why' | 'next' | 'findings'> => ({
  why: `stores.${name} in architecture.ts names no upgrade that makes the one of the other`,
  findings: [{ key: `stores.${name}.format`, what: `expected an upgrade beside it, or ${there.join(' or ')}` }],
  next: `give stores.${name} an upgrade: { command: [...] }, or the format its data have; commit, and: changeless up`,
});

function lacksUpgrade(outfit: Outfit, observed: Observation): boolean {
  const { data, owner } = outfit.unit;
  if (!data) return false;
  const all = generationsOf(owner.name, observed);
  const there = all.find(({ name }) => name === data.volume.name);
  // Data without a named format may be from before there were notes.
  if (there && (there.bodies || there.name === dataVolume(owner.name).name)) return false;
  return all.some((volume) => volume !== there) && sourceOf(outfit, observed) === undefined;
}

const formatWords = (store: string, volume: string): string =>
  volume === `${store}.data` ? 'no named format' : `format ${volume.slice(`${store}.data.`.length)}`;
