import type { Engine } from '../engine/engine.ts';
import type { Ledger } from '../ledger/ledger.ts';

/** `mayAct`: whether `self` is still in charge, asked once it is known what is to go. */
export type Succession = { engine: Engine; ledger: Ledger; architecture: string; self: string; mayAct: () => Promise<boolean> };

/**
 * Removes the controllers whose rollouts came before this one's: its release is live, so that theirs have nothing to come
 * back for. One that has not claimed yet is somebody's next rollout, however long ago it was made. Safe to repeat.
 */
export async function removePredecessors({ engine, ledger, architecture, self, mayAct }: Succession): Promise<void> {
  const observed = await engine.controllers(architecture);
  if (!observed.ok) return;
  const tokens = new Map((await ledger.rollouts(50)).map(({ controller, token }) => [controller, token]));
  const own = tokens.get(self) ?? 0;
  const before = observed.value.filter(({ container }) => (tokens.get(container) ?? own) < own);
  if (before.length === 0 || !(await mayAct())) return;
  await Promise.all(before.map(({ name }) => engine.removeController(architecture, name)));
}
