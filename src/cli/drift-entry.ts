import type { Drift } from './compare.ts';

/** Drift as the machine contract has it. `since`: when it was noticed; what happened before is in the controller's log. */
export type DriftEntry = { container: string; name: string; kind: string; what: string; since: string; noticedBy: string };

export const driftEntries = (drift: readonly Drift[], since: string, noticedBy: string): DriftEntry[] =>
  drift.map((item) => ({ ...item, since, noticedBy }));
