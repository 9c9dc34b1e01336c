/** How often a thing died, and when it may be started again. Held in memory only: a new controller starts afresh. */
export type Deaths = Map<string, { count: number; notBefore: number }>;

/** Milliseconds to wait before the next start after so many deaths: none, then doubling from half a second up to 30 s. */
export const pauseMs = (deaths: number): number => (deaths <= 1 ? 0 : Math.min(30_000, 250 * 2 ** (deaths - 1)));

/** A death long after the last pause counts as a first one. */
const forgetMs = 60_000;

export function recordDeath(deaths: Deaths, name: string, now: number): number {
  const before = deaths.get(name);
  const count = before && now - before.notBefore < forgetMs ? before.count + 1 : 1;
  deaths.set(name, { count, notBefore: now + pauseMs(count) });
  return count;
}

export const heldBack = (deaths: Deaths, now: number): ReadonlySet<string> =>
  new Set([...deaths].filter(([, { notBefore }]) => notBefore > now).map(([name]) => name));

/** Milliseconds until the next one may start; undefined when none waits. */
export function nextStart(deaths: Deaths, now: number): number | undefined {
  const waits = [...deaths.values()].map(({ notBefore }) => notBefore - now).filter((ms) => ms > 0);
  return waits.length > 0 ? Math.min(...waits) : undefined;
}
