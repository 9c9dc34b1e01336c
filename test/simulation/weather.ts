import type { Random } from './random.ts';

/** What goes wrong around the controllers for a while; each a chance, at each call or event. */
export type Weather = {
  /** The engine refuses what is asked, or does it and its answer is lost. */
  refusal: number;
  /** A call takes seconds, up to the length of a lease and more. */
  slowness: number;
  /** An event is lost; a `resynchronise` follows some seconds later. */
  lostEvents: number;
};

export const calm: Weather = { refusal: 0, slowness: 0, lostEvents: 0 };

export function rough(random: Random): Weather {
  return {
    refusal: random.chance(0.5) ? random.pick([0.01, 0.05, 0.2]) : 0,
    slowness: random.chance(0.4) ? random.pick([0.01, 0.05]) : 0,
    lostEvents: random.chance(0.4) ? random.pick([0.1, 0.5]) : 0,
  };
}
