import type { Engine, Observation, ObservedInstance, Owner } from '../engine/engine.ts';
import type { UnitName } from '../events.ts';
import type { Desired, DesiredUnit } from './desired.ts';
import { releaseOnEngine } from './release-on-engine.ts';
import { current, isUnit, unitState } from './unit-state.ts';

/**
 * The release as it is to be kept where some units were held back: each of them as the release says that made what is there
 * of it, read from that release's image. One of which nothing is there is left out; one whose release cannot be read is
 * left as it is.
 */
export async function withHeldBack(engine: Engine, desired: Desired, held: readonly UnitName[]): Promise<Desired> {
  if (held.length === 0) return desired;
  const observed = await engine.observe(desired.architecture);
  const isHeld = ({ owner }: DesiredUnit): boolean => held.some((each) => isUnit(each, owner));
  const units = desired.units.filter((unit) => !isHeld(unit));
  if (!observed.ok) return { ...desired, units, untended: held };
  const kept = await Promise.all(held.map((owner) => keptUnit(engine, { desired, observed: observed.value, owner })));
  return {
    ...desired,
    units: [...units, ...kept.filter((unit) => unit !== undefined && unit !== 'unreadable')],
    untended: [...(desired.untended ?? []), ...held.filter((_, index) => kept[index] === 'unreadable')],
  };
}

type Sought = { desired: Desired; observed: Observation; owner: Owner };

async function keptUnit(engine: Engine, { desired, observed, owner }: Sought): Promise<DesiredUnit | 'unreadable' | undefined> {
  const path = pathThere(observed, owner);
  if (path === undefined) return undefined;
  const { release, environment } = path.origin;
  const said = await releaseOnEngine(engine, { architecture: desired.architecture, release, environment });
  const unit = said?.units.find((each) => isUnit(each.owner, owner));
  return unit?.generation === path.generation ? unit : 'unreadable';
}

/** The path clients reach, or reached last. */
function pathThere(observed: Observation, owner: Owner): ObservedInstance | undefined {
  const state = unitState(observed, owner);
  const { ended } = state;
  return current(state) ?? ended.toSorted((a, b) => (a.createdAt < b.createdAt ? -1 : 1)).at(-1);
}
