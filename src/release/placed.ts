import type { Service } from '../architecture/model.ts';

/** A volume in an instance of a service; only what Changeless brings along has any. */
export type PlacedVolume = { volume: string; path: string; readOnly?: true };

/** A service, but for what its image is made from. */
export type Placed = Omit<Service, 'build'> & { volumes?: readonly PlacedVolume[] };
