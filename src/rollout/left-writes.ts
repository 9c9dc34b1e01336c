import type { ObservedVolume } from '../engine/engine.ts';
import type { Manifest } from '../release/manifest.ts';
import { dataVolume } from './ground.ts';

export const formatIn = ({ inputs }: Manifest, store: string): string | undefined => inputs.architecture.stores[store]?.format;

/** Stores of both whose data have another format in the one than in the other. */
export const movedStores = (from: Manifest, to: Manifest): string[] =>
  Object.keys(to.inputs.architecture.stores).filter(
    (store) => Object.hasOwn(from.inputs.architecture.stores, store) && formatIn(from, store) !== formatIn(to, store),
  );

/** A store whose data generation in `to` was let in before, so that what was written since lies in another one. */
export const storeLeft = (from: Manifest, to: Manifest, volumes: readonly ObservedVolume[]): string | undefined =>
  movedStores(from, to).find((store) => {
    const wanted = dataVolume(store, formatIn(to, store)).name;
    return volumes.some(({ name, bodies }) => name === wanted && bodies !== undefined);
  });
