/** A look costs nothing of the forge's limit where nothing has moved. */
const quietMs = 30_000;

/** While a head waits for its webhook. */
const waitingMs = 5000;

const longestMs = 15 * 60_000;

/**
 * How long until the forge is looked at again: by chance up to a tenth more or less, so that many do not look at the same time; longer
 * with each failure in a row, and never before `afterMs`. Pure.
 */
export function nextLookMs({
  failures,
  waits,
  afterMs = 0,
  random,
}: {
  failures: number;
  waits: boolean;
  afterMs?: number;
  random: number;
}): number {
  const ownMs = failures > 0 ? Math.min(longestMs, quietMs * 2 ** Math.min(failures, 10)) : waits ? waitingMs : quietMs;
  return Math.max(afterMs, Math.round(ownMs * (0.9 + random / 5)));
}
