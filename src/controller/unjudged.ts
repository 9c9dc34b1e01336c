import type { Engine, ObservedController } from '../engine/engine.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Manifest } from '../release/manifest.ts';

/** Nobody can say any more which of two releases' controllers is in charge. */
export type Unjudged = { state: 'unjudged'; other: ObservedController };

/**
 * Where the ledger is empty though something runs, it was lost, and with it the tokens that tell the live release from one that
 * failed: beside another release's controller this one does not choose. Nothing is lost for one that is alone.
 */
export async function unjudged({ engine, ledger, manifest, self }: Judging): Promise<Unjudged | undefined> {
  if ((await ledger.rollouts(1)).length > 0) return undefined;
  const observed = await engine.observe(manifest.inputs.architecture.name);
  if (!observed.ok || observed.value.instances.length === 0) return undefined;
  const other = observed.value.controllers.find(
    ({ container, release, state }) => container !== self && release !== manifest.release && state === 'running',
  );
  return other && { state: 'unjudged', other };
}

export type Judging = { engine: Engine; ledger: Ledger; manifest: Manifest; self: string };
