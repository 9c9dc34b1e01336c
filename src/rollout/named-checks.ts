import type { Observation, PathPhase } from '../engine/engine.ts';
import { placeOf } from './size.ts';

/** Whether a path names servers by address, as it does where instances come and go. */
export const namesAddresses = (phase: PathPhase): boolean =>
  phase.phase === 'checking' && phase.failing.some(({ server }) => /^\d+(\.\d+){3}$/.test(server));

/** The same with the instance whose place has the address, where one has. */
export function withNames(phase: PathPhase, { slots }: Pick<Observation, 'slots'>): PathPhase {
  if (phase.phase !== 'checking') return phase;
  const names = new Map(
    slots.flatMap(({ owner, name, address }): [string, string][] => {
      const place = placeOf(owner, name);
      return place && address !== undefined ? [[address, `${place.service}-${place.number}`]] : [];
    }),
  );
  return { ...phase, failing: phase.failing.map((check) => ({ ...check, server: names.get(check.server) ?? check.server })) };
}
