import { locatorOfCommit } from '../architecture/evaluate.ts';
import { valueAt } from '../architecture/key-path.ts';
import type { ImageId } from '../digest.ts';
import { defaultEnvironment } from '../release/resolve-environment.ts';
import type { Manifest } from '../release/manifest.ts';
import { done, type Result } from '../result.ts';
import { buildComponents, type ComponentImages } from './build-components.ts';
import type { BuildContext } from './build-context.ts';
import { allOrFirstProblem } from './first-problem.ts';
import { checkPaths } from './path-check.ts';
import type { UnitPlace } from './path-findings.ts';
import type { PlannedRelease } from './plan-release.ts';
import { layersOf, missingPaths, seal, type Layers, type Sealed, type SystemIds, type Unnamed } from './seal.ts';
import { isWhole, keepManifest, readManifest } from './sealed-release.ts';
import { ensureSystem } from './system-build.ts';

/** A release with all its images on the engine. `images`: the release image of each environment. */
export type BuiltRelease = {
  manifest: Manifest;
  images: Readonly<Record<string, { id: ImageId; tag: string }>>;
  built: number;
  reused: number;
};

/** `types`: the answer of the type checker, which runs meanwhile; nothing is sealed before it. `signal`: no further build is begun. */
export type BuildOptions = { signal: AbortSignal; types?: Promise<Result<unknown>> };

/**
 * Makes all images of a planned release that the engine does not have: components and their tests, configured images, data
 * paths checked by the proxy itself, release images. Returns at once when all are there. May be repeated; what an earlier
 * try finished is kept. Throws the signal's reason when aborted.
 */
export async function buildRelease(context: BuildContext, planned: PlannedRelease, options: BuildOptions): Promise<Result<BuiltRelease>> {
  const started = performance.now();
  // Nobody waits for it when there is nothing to seal.
  options.types?.catch(() => undefined);
  const result = (await sealedBefore(context, planned)) ?? (await buildNew(context, planned, options));
  if (!result.ok) return result;
  const { manifest, images, built, reused } = result.value;
  const image = images[defaultEnvironment]?.id;
  if (image === undefined) throw new Error('a release without image');
  const { release, inputs } = manifest;
  context.report({
    type: 'release-built',
    release,
    commit: inputs.source.commit,
    image,
    built,
    reused,
    durationMs: Math.round(performance.now() - started),
  });
  return result;
}

/** What a build of the same inputs left, when nothing of it is gone. */
async function sealedBefore(
  { engine, cacheFolder }: BuildContext,
  { sealed, existing, components }: PlannedRelease,
): Promise<Result<BuiltRelease> | undefined> {
  const image = sealed?.[defaultEnvironment]?.id;
  if (sealed === undefined || image === undefined) return undefined;
  const manifest = await readManifest(engine.images, image, cacheFolder);
  if (manifest === undefined || !isWhole(manifest, existing)) return undefined;
  return done({ manifest, images: sealed, built: 0, reused: components.length });
}

/** What is built, and what may be sealed of it before all of its tests have passed. */
type Building = { system: PromiseWithResolvers<SystemIds>; components: PromiseWithResolvers<ComponentImages> };

async function buildNew(context: BuildContext, planned: PlannedRelease, { signal, types }: BuildOptions): Promise<Result<BuiltRelease>> {
  const layers = layersOf(planned);
  const building: Building = { system: Promise.withResolvers(), components: Promise.withResolvers() };
  const evidence = allOrFirstProblem(
    [
      (stop) => systemAndPaths(context, planned, { layers, signal: stop, ready: building.system.resolve }),
      (stop) => buildComponents(context, planned, { signal: stop, allBuilt: building.components.resolve }),
      (stop) => unlessStopped(types, stop),
    ],
    { signal },
  );
  const sealed = await sealBeside(evidence, building, (system, components) =>
    seal(context.engine.images, { planned, layers, system, components }),
  );
  if (!sealed.ok) return sealed;
  const { manifest, images } = sealed.value;
  await keepManifest(
    manifest,
    Object.values(images).map(({ id }) => id),
    context.cacheFolder,
  );
  const reused = planned.components.filter((component) => component.reused).length;
  return done({ manifest, images, built: planned.components.length - reused, reused });
}

/** Seals as soon as everything is built, while tests still run, and names what was sealed once all evidence is in. */
async function sealBeside(
  evidence: Promise<Result<void>>,
  { system, components }: Building,
  sealAll: (system: SystemIds, components: ComponentImages) => Promise<Unnamed>,
): Promise<Result<Sealed>> {
  const built = Promise.all([system.promise, components.promise]);
  const first = await Promise.race([built, evidence]);
  if ('ok' in first && !first.ok) return first;
  const [sealing, proof] = await Promise.allSettled([sealAll(...(await built)), evidence]);
  const isProven = proof.status === 'fulfilled' && proof.value.ok;
  if (sealing.status === 'fulfilled') await (isProven ? sealing.value.name() : sealing.value.discard());
  if (proof.status === 'rejected') throw proof.reason;
  if (!proof.value.ok) return proof.value;
  if (sealing.status === 'rejected') throw sealing.reason;
  return done(sealing.value);
}

/** The type checker belongs to the caller, who gives it up. */
function unlessStopped(types: BuildOptions['types'], stop: AbortSignal): Promise<Result<unknown>> {
  const stopped = new Promise<Result<unknown>>((resolve) => stop.addEventListener('abort', () => resolve(done(undefined)), { once: true }));
  return Promise.race([types ?? Promise.resolve(done(undefined)), stopped]);
}

/** Data paths depend on no component, so they are checked while components are built. */
async function systemAndPaths(
  { engine: { images }, report, cacheFolder, repository }: BuildContext,
  planned: PlannedRelease,
  { layers, signal, ready }: { layers: readonly Layers[]; signal: AbortSignal; ready: (system: SystemIds) => void },
): Promise<Result<SystemIds>> {
  const { system: plan, platform, existing } = planned;
  const system = await ensureSystem({ images, report }, { plan, platform, tagged: (tag) => existing.tagged(tag), signal });
  if (!system.ok) return system;
  ready(system.value);
  const checked = await checkPaths(images, {
    paths: missingPaths(layers, existing),
    proxy: { id: system.value.proxy, key: plan.keys.proxy },
    cacheFolder,
    place: unitPlace(planned, layers),
    locator: async () => await locatorOfCommit({ repository, ...planned.evaluated }),
    signal,
  });
  return checked.ok ? system : checked;
}

/** A member of a policy that an environment says is written there. */
const unitPlace =
  ({ evaluated: { architecture } }: PlannedRelease, layers: readonly Layers[]): UnitPlace =>
  ({ unit, tag }, key) => {
    const environment = layers.find(({ paths }) => paths.some((path) => path.tag === tag))?.environment ?? defaultEnvironment;
    const changed = ['environments', environment, `${unit.kind}s`, unit.name];
    const said = valueAt(architecture, [...changed, ...key.slice(0, 2)]) !== undefined;
    return [...(said ? changed : changed.slice(2)), ...key];
  };
