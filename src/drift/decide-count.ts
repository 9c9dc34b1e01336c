import type { Range } from '../rollout/size.ts';

/** What all instances of a service have together, in the unit of its metric: cores, or requests. `at`: in milliseconds. */
export type Sample = { at: number; load: number };

/** `count`: how many there are; `since`: since when. `samples`: oldest first. */
export type Scaled = { range: Range; count: number; since: number; samples: readonly Sample[]; now: number };

/** More come when the mean of so long asks for it, and not again before those that came have taken their share. */
const upMs = 5000;

/** Fewer stay only when the highest load of so long would have fitted them, and they have been as many for as long. */
const downMs = 60_000;

/** Nearer to the target than this is near enough. */
const tolerance = 0.1;

/** Samples older than this count for nothing. */
export const memoryMs = downMs + 1000;

/**
 * How many instances a service is to have, so that each has about `target`: up within seconds, at most twice as many at once; down
 * after a minute in which fewer would have done. Where the target is met within a tenth, nothing changes. Pure.
 */
export function decideCount(scaled: Scaled): number {
  const { range, count, since, samples, now } = scaled;
  const { min, max, target } = range;
  if (target === undefined || samples.length === 0) return count;
  const recent = samples.filter(({ at }) => at > now - upMs).map(({ load }) => load);
  const mean = recent.reduce((sum, load) => sum + load, 0) / Math.max(1, recent.length);
  if (recent.length > 1 && mean > count * target * (1 + tolerance) && now - since >= upMs)
    return Math.min(max, 2 * count, Math.ceil(mean / target));
  const isLongEnough = now - since >= downMs && (samples[0]?.at ?? now) <= now - downMs;
  if (!isLongEnough) return count;
  const peak = Math.max(...samples.filter(({ at }) => at >= now - downMs).map(({ load }) => load));
  return Math.max(min, Math.min(count, Math.ceil(peak / (target * (1 - tolerance)))));
}
