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
import { type GoesOn, SetAside, type Unbuilt } from './set-aside.ts';
import { ensureSystem } from './system-build.ts';

/** A release with all its images on the engine. `images`: the release image of each environment. */
export type BuiltRelease = {
  manifest: Manifest;
  images: Readonly<Record<string, { id: ImageId; tag: string }>>;
  built: number;
  reused: number;
};

/**
 * `types`: the answer of the type checker, which runs meanwhile; nothing is sealed before it. `signal`: no further build is begun.
 * `goesOn`: which independent apps the release may do without when they cannot be built; without it none.
 */
export type BuildOptions = { signal: AbortSignal; types?: Promise<Result<unknown>>; goesOn?: GoesOn };

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

/** What a build of the same inputs left, when nothing of it is gone; what could not be built then is tried again. */
async function sealedBefore(
  { engine, cacheFolder }: BuildContext,
  { sealed, existing, components }: PlannedRelease,
): Promise<Result<BuiltRelease> | undefined> {
  const image = sealed?.[defaultEnvironment]?.id;
  if (sealed === undefined || image === undefined) return undefined;
  const manifest = await readManifest(engine.images, image, cacheFolder);
  if (manifest === undefined || manifest.outputs.unbuilt || !isWhole(manifest, existing)) return undefined;
  return done({ manifest, images: sealed, built: 0, reused: components.length });
}

/** What is built, and what may be sealed of it before all of its tests have passed. */
type Building = { system: PromiseWithResolvers<SystemIds>; components: PromiseWithResolvers<ComponentImages> };

async function buildNew(context: BuildContext, planned: PlannedRelease, options: BuildOptions): Promise<Result<BuiltRelease>> {
  const { signal, types, goesOn } = options;
  const layers = layersOf(planned);
  const setAside = new SetAside(planned.inputs.architecture, goesOn);
  const building: Building = { system: Promise.withResolvers(), components: Promise.withResolvers() };
  const evidence = allOrFirstProblem(
    [
      (stop) => systemAndPaths(context, planned, { layers, setAside, signal: stop, ready: building.system.resolve }),
      (stop) => buildComponents(context, planned, { setAside, signal: stop, allBuilt: building.components.resolve }),
      (stop) => unlessStopped(types, stop),
    ],
    { signal },
  );
  const sealed = await sealBeside(evidence, building, {
    setAside,
    sealWithout: (unbuilt, system, components) => seal(context.engine.images, { planned, layers, system, components, unbuilt }),
  });
  if (!sealed.ok) return sealed;
  const { manifest, images } = sealed.value;
  await keepManifest(
    manifest,
    Object.values(images).map(({ id }) => id),
    context.cacheFolder,
  );
  const reused = planned.components.filter(({ name, reused: isThere }) => isThere && manifest.outputs.components[name]).length;
  const built = Object.keys(manifest.outputs.components).length - reused;
  return done({ manifest, images, built, reused });
}

type Sealing = {
  setAside: SetAside;
  sealWithout: (unbuilt: Unbuilt, system: SystemIds, components: ComponentImages) => Promise<Unnamed>;
};

/**
 * Seals as soon as everything is built, while tests still run, and names what was sealed once all evidence is in. Where the
 * evidence speaks against an app that is set aside, the rest is sealed anew without it.
 */
async function sealBeside(
  evidence: Promise<Result<void>>,
  { system, components }: Building,
  { setAside, sealWithout }: Sealing,
): Promise<Result<Sealed>> {
  const built = Promise.all([system.promise, components.promise]);
  const first = await Promise.race([built, evidence]);
  if ('ok' in first && !first.ok) return first;
  const parts = await built;
  const unbuilt = setAside.apps;
  const [sealing, proof] = await Promise.allSettled([sealWithout(unbuilt, ...parts), evidence]);
  const more = Object.keys(setAside.apps).length > Object.keys(unbuilt).length;
  const isProven = proof.status === 'fulfilled' && proof.value.ok && !more;
  if (sealing.status === 'fulfilled') await (isProven ? sealing.value.name() : sealing.value.discard());
  if (proof.status === 'rejected') throw proof.reason;
  if (!proof.value.ok) return proof.value;
  if (sealing.status === 'rejected') throw sealing.reason;
  if (!more) return done(sealing.value);
  const again = await sealWithout(setAside.apps, ...parts);
  await again.name();
  return done(again);
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
  {
    layers,
    setAside,
    signal,
    ready,
  }: { layers: readonly Layers[]; setAside: SetAside; signal: AbortSignal; ready: (system: SystemIds) => void },
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
    setAside,
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
