import type { ImageId, ReleaseId } from '../digest.ts';
import { generationsOf, type Generations } from '../release/generation.ts';
import type { Component, ReleaseInputs } from '../release/manifest.ts';
import { releaseId } from '../release/release-id.ts';
import { environmentsOf } from '../release/resolve-environment.ts';
import { done, type Result } from '../result.ts';
import type { BuildContext, Evaluated } from './build-context.ts';
import { isDelivered } from '../architecture/deliver.ts';
import { ExistingImages } from './existing-images.ts';
import { componentTag, everyImage, releaseTag } from './image-names.ts';
import { planComponents, type KeyedComponent } from './keys.ts';
import { PlanCache, type Derived, type PlanInputs } from './plan-cache.ts';
import { planSystem, readAssets, type SystemPlan } from './system-images.ts';

/** A component of a planned release. `reused`: `image` is on the engine and passed its tests; else it is to be built. */
export type PlannedComponent = KeyedComponent & { key: Component['key']; reused: boolean; image?: ImageId };

/** Everything about a release that follows from its inputs, and which of its images the engine has. */
export type PlannedRelease = {
  evaluated: Evaluated;
  inputs: ReleaseInputs;
  release: ReleaseId;
  environments: Readonly<Record<string, Generations>>;
  components: readonly PlannedComponent[];
  system: SystemPlan;
  platform: string;
  existing: ExistingImages;
  /** Release images by environment, when those of all environments are there. */
  sealed?: Readonly<Record<string, { id: ImageId; tag: string }>>;
};

/**
 * What would be built, and the ids of all of it. Reads the repository and asks the engine for its platform and one list
 * of images, side by side; changes nothing.
 */
export async function planRelease(context: BuildContext, evaluated: Evaluated): Promise<Result<PlannedRelease>> {
  const { engine, assets } = context;
  const listing = engine.images.list({ reference: everyImage });
  // Awaited last; a listing that fails meanwhile is not an unhandled rejection.
  listing.catch(() => undefined);
  const [described, files, cache] = await Promise.all([
    engine.describe(),
    readAssets(assets, { builder: isDelivered(evaluated.architecture) }),
    PlanCache.open(context.cacheFolder, evaluated.architecture.name),
  ]);
  if (!described.ok) return described;
  const { platform } = described.value;
  const system = planSystem({ files, lock: evaluated.lock, platform });
  if (!system.ok) return system;
  const derived = await derive(context, { plan: { evaluated, platform, assets, system: system.value }, cache });
  if (!derived.ok) return derived;
  const { keyed, release, environments } = derived.value;
  const inputs = releaseInputs(context, { evaluated, keyed, system: system.value });
  const existing = new ExistingImages(await listing, evaluated.architecture.name);
  const sealed = sealedImages({ evaluated, release, existing });
  const components = keyed.map((each) => planned(each, evaluated.architecture.name, existing));
  return done({
    evaluated,
    inputs,
    release,
    environments,
    components,
    system: system.value,
    platform,
    existing,
    ...(sealed && { sealed }),
  });
}

/** Keys and ids, from the last plan when it was of the same inputs. */
async function derive(context: BuildContext, { plan, cache }: { plan: PlanInputs; cache: PlanCache }): Promise<Result<Derived>> {
  const { repository, cacheFolder } = context;
  const kept = cache.get(plan);
  if (kept !== undefined) return done(kept);
  const keyed = await planComponents({ evaluated: plan.evaluated, repository, cacheFolder, platform: plan.platform });
  if (!keyed.ok) return keyed;
  const inputs = releaseInputs(context, { evaluated: plan.evaluated, keyed: keyed.value, system: plan.system });
  const environments = environmentGenerations(inputs);
  if (!environments.ok) return environments;
  const derived = { keyed: keyed.value, release: releaseId(inputs), environments: environments.value };
  await cache.set(plan, derived);
  return done(derived);
}

type Inputs = { evaluated: Evaluated; keyed: readonly KeyedComponent[]; system: SystemPlan };

const releaseInputs = (
  { assets }: BuildContext,
  { evaluated: { architecture, commit, secrets }, keyed, system: { keys } }: Inputs,
): ReleaseInputs => ({
  schema: 1,
  architecture,
  source: { commit: commit.id, tree: commit.tree },
  changeless: {
    version: assets.version,
    controller: keys.controller,
    proxy: keys.proxy,
    sandbox: keys.sandbox,
    ...(keys.builder && { builder: keys.builder }),
  },
  ...(secrets && { secrets }),
  components: Object.fromEntries(keyed.map(({ name, component }) => [name, component])),
});

function environmentGenerations(inputs: ReleaseInputs): Result<Record<string, Generations>> {
  const environments: Record<string, Generations> = {};
  for (const environment of environmentsOf(inputs.architecture)) {
    const generations = generationsOf(inputs, environment);
    if (!generations.ok) return generations;
    environments[environment] = generations.value;
  }
  return done(environments);
}

function planned(keyed: KeyedComponent, architecture: string, existing: ExistingImages): PlannedComponent {
  const { key } = keyed.component;
  const image = existing.tagged(componentTag(architecture, keyed.name, key)) ?? existing.component(key);
  return { ...keyed, key, reused: image !== undefined, ...(image && { image }) };
}

type Sealable = { evaluated: Evaluated; release: ReleaseId; existing: ExistingImages };

function sealedImages({ evaluated: { architecture }, release, existing }: Sealable): PlannedRelease['sealed'] {
  const images = environmentsOf(architecture).map((environment): [string, { id?: ImageId | undefined; tag: string }] => {
    const tag = releaseTag(architecture.name, release, environment);
    return [environment, { id: existing.tagged(tag), tag }];
  });
  if (images.some(([, { id }]) => id === undefined)) return undefined;
  return Object.fromEntries(images.flatMap(([environment, { id, tag }]) => (id === undefined ? [] : [[environment, { id, tag }]])));
}
