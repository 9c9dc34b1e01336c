import type { LedgerEntry } from '../ledger/channel-places.ts';

/** So many may wait for a channel that is away, */
export const mostWaiting = 500;

/** and for so long: who hears of it later than that learns nothing from it. */
const longestMs = 3 * 24 * 3_600_000;

/** How many of the entries, from the oldest on, are no longer to be told. Pure. */
export function overdue(entries: readonly LedgerEntry[], nowMs: number): number {
  const tooMany = Math.max(0, entries.length - mostWaiting);
  const fresh = entries.findIndex(({ event }) => nowMs - Date.parse(event.at) <= longestMs);
  return Math.max(tooMany, fresh === -1 ? entries.length : fresh);
}

const pausesMs: readonly number[] = [1000, 5000, 25_000, 120_000];

const longestPauseMs = 300_000;

/** How long until the next try, after so many failures in a row; up to a fifth more, so that not all who failed together come together. Pure. */
export function pauseMs(failures: number, { afterMs = 0, random }: { afterMs?: number; random: number }): number {
  const own = pausesMs[failures - 1] ?? longestPauseMs;
  return Math.max(afterMs, Math.round(own * (1 + random / 5)));
}
