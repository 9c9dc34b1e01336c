import type { MemoryEngine } from '../../src/engine/memory/memory-engine.ts';
import type { Manifest } from '../../src/release/manifest.ts';
import { desiredOf } from '../../src/rollout/desired.ts';
import { planRollout } from '../../src/rollout/plan-rollout.ts';
import type { Outlook } from '../../src/rollout/situation.ts';
import type { Stage } from '../../src/rollout/step.ts';

/** What a controller of the release would do next. */
export async function planFor(engine: MemoryEngine, manifest: Manifest, outlook: Partial<Outlook> = {}): Promise<Stage> {
  const desired = desiredOf(manifest, 'local');
  const observed = await engine.observe(manifest.inputs.architecture.name);
  if (!desired.ok || !observed.ok) throw new Error('nothing to plan for');
  return planRollout(desired.value, observed.value, { token: 0, heldBack: new Set(), hurry: false, ...outlook });
}
