import { MemoryEngine, type Wait } from './memory-engine.ts';
import { MemoryWorld } from './world.ts';

/**
 * `now`: the clock; by default a second passes at each look at it. `wait`: how limits pass; by default at once, after
 * everything that was already under way has had its turn.
 */
export type MemoryEngineOptions = { now?: () => string; wait?: Wait };

export function createMemoryEngine(options: MemoryEngineOptions = {}): MemoryEngine {
  return new MemoryEngine(new MemoryWorld(options.now ?? countingClock()), options.wait ?? atOnce);
}

function countingClock(): () => string {
  let seconds = 0;
  return () => new Date(Date.UTC(2026, 0, 1) + (seconds += 1) * 1000).toISOString();
}

const atOnce: Wait = () => new Promise((resolve) => setImmediate(resolve));
