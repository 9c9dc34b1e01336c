import { canonicalJson } from '../canonical-json.ts';
import type { ComponentKey, ImageId } from '../digest.ts';
import type { AssembleRequest, Assembly, Images } from '../engine/image.ts';
import { labels } from '../engine/labels.ts';
import { ledgerQuestions } from '../ledger-questions.ts';
import type { Generations } from '../release/generation.ts';
import { encodeManifest } from '../release/manifest-codec.ts';
import {
  environmentPath,
  manifestPath,
  type Generation,
  type Manifest,
  type SealedEnvironment,
  type SealedGeneration,
} from '../release/manifest.ts';
import { resolveEnvironment } from '../release/resolve-environment.ts';
import { configuredImages, configuredRequest, type Configured } from './configured-images.ts';
import { appOfComponent } from './component-names.ts';
import type { ExistingImages } from './existing-images.ts';
import { releaseTag } from './image-names.ts';
import { ownImages, ownRequest, type OwnImage } from './own-images.ts';
import { pathImages, pathRequest, type PathImage } from './path-images.ts';
import type { PlannedRelease } from './plan-release.ts';
import type { Unbuilt } from './set-aside.ts';

/** The images Changeless brings along, on the engine. */
export type SystemIds = { controller: ImageId; proxy: ImageId; sandbox: ImageId; builder?: ImageId };

/** An environment's micro layers, before any of them is made. */
export type Layers = {
  environment: string;
  generations: Generations;
  configured: readonly Configured[];
  paths: readonly PathImage[];
  own: readonly OwnImage[];
};

/** The release images, and the manifest baked into them. */
export type Sealed = { manifest: Manifest; images: Readonly<Record<string, { id: ImageId; tag: string }>> };

/** Which micro layers the release needs in each environment. Follows from the inputs alone. */
export function layersOf({ inputs, environments }: PlannedRelease): Layers[] {
  return Object.entries(environments).map(([environment, generations]) => {
    const resolved = resolveEnvironment(inputs.architecture, environment);
    if (!resolved.ok) throw new Error(`planned without its environment ${environment}`);
    const configured = configuredImages({ architecture: resolved.value, generations, components: inputs.components });
    const paths = pathImages(resolved.value, generations);
    const own = ownImages({ architecture: resolved.value, paths, changeless: inputs.changeless });
    return { environment, generations, configured, paths, own };
  });
}

/** The data paths the engine does not have yet. */
export const missingPaths = (layers: readonly Layers[], existing: ExistingImages): PathImage[] =>
  uniqueByTag(layers.flatMap(({ paths }) => paths)).filter(({ tag }) => existing.tagged(tag) === undefined);

type Parts = {
  planned: PlannedRelease;
  layers: readonly Layers[];
  system: SystemIds;
  components: Readonly<Record<string, ImageId>>;
  unbuilt: Unbuilt;
};

/** A release that is on the engine and has no name yet. `name` makes it one that is found; `discard` takes it away again. */
export type Unnamed = Sealed & { name(): Promise<void>; discard(): Promise<void> };

/**
 * Loads what is missing of the configured images and data paths, then the release images of all environments, without
 * names: that is done when all that speaks for them is in. May be repeated: equal requests make equal images.
 */
export async function seal(images: Images, { planned, system, unbuilt, ...all }: Parts): Promise<Unnamed> {
  const layers = all.layers.map((each) => layersWithout(each, unbuilt));
  const components = componentsWithout(all.components, planned, unbuilt);
  const micro = await prepareLayers(images, { planned, layers, system, components });
  const environments = Object.fromEntries(layers.map((each) => [each.environment, sealEnvironment(each, micro.byTag)]));
  const { controller, sandbox, builder } = system;
  const manifest: Manifest = {
    schema: 1,
    release: planned.release,
    inputs: planned.inputs,
    outputs: {
      controller,
      sandbox,
      ...(builder && { builder }),
      components,
      environments,
      ...(Object.keys(unbuilt).length > 0 && { unbuilt }),
    },
  };
  const requests = layers.map(({ environment }) => releaseRequest(manifest, environment));
  const releases = await images.prepare(requests);
  const named = layers.map(({ environment }, index) => [environment, { id: nth(releases.ids, index), tag: nth(requests, index).tag }]);
  await micro.assembly.load();
  await releases.load();
  return {
    manifest,
    images: Object.fromEntries(named) as Sealed['images'],
    // The release images last: who finds one may rely on the rest.
    async name() {
      await micro.assembly.name();
      await releases.name();
    },
    async discard() {
      await releases.discard();
      await micro.assembly.discard();
    },
  };
}

/** What the apps that are done without have in an environment is none of the release's. */
function layersWithout({ environment, generations, configured, paths, own }: Layers, unbuilt: Unbuilt): Layers {
  const isBuilt = ({ unit }: { unit: PathImage['unit'] }): boolean => unit.kind !== 'app' || unbuilt[unit.name] === undefined;
  const apps = Object.fromEntries(Object.entries(generations.apps).filter(([name]) => unbuilt[name] === undefined));
  return {
    environment,
    generations: { ...generations, apps },
    configured: configured.filter(isBuilt),
    paths: paths.filter(isBuilt),
    own: own.filter(({ app }) => unbuilt[app] === undefined),
  };
}

function componentsWithout(components: Parts['components'], { inputs }: PlannedRelease, unbuilt: Unbuilt): Parts['components'] {
  const isBuilt = (name: string): boolean => unbuilt[appOfComponent(inputs.architecture, name) ?? ''] === undefined;
  return Object.fromEntries(Object.entries(components).filter(([name]) => isBuilt(name)));
}

type MicroLayers = { assembly: Assembly; byTag: ReadonlyMap<string, ImageId> };

async function prepareLayers(images: Images, { planned, layers, system, components }: Omit<Parts, 'unbuilt'>): Promise<MicroLayers> {
  const {
    inputs,
    existing,
    system: { keys },
  } = planned;
  const architecture = inputs.architecture.name;
  const configured = uniqueByTag(layers.flatMap((each) => each.configured)).filter(({ tag }) => existing.tagged(tag) === undefined);
  const proxy = { id: system.proxy, key: keys.proxy, architecture };
  const own = uniqueByTag(layers.flatMap((each) => each.own)).filter(({ tag }) => existing.tagged(tag) === undefined);
  const requests = [
    ...(await Promise.all(configured.map(async (item) => await requestFor(images, item, { planned, components })))),
    ...missingPaths(layers, existing).map((item) => pathRequest(item, proxy)),
    ...own.map((item) => ownRequest(item, { architecture, ids: system })),
  ];
  const assembly = await images.prepare(requests);
  const byTag = new Map(requests.map(({ tag }, index) => [tag, nth(assembly.ids, index)]));
  for (const { tag } of layers.flatMap((each) => [...each.configured, ...each.paths, ...each.own])) {
    const present = existing.tagged(tag);
    if (present !== undefined) byTag.set(tag, present);
  }
  return { assembly, byTag };
}

async function requestFor(
  images: Images,
  item: Configured,
  { planned, components }: Pick<Parts, 'planned' | 'components'>,
): Promise<AssembleRequest> {
  const id = member(components, item.component);
  const detail = await images.inspect(id);
  const component = member(planned.inputs.components, item.component);
  return configuredRequest(item, { id, user: detail?.config.user ?? '', component, architecture: planned.inputs.architecture.name });
}

function sealEnvironment({ generations, configured, paths, own: ownOf }: Layers, ids: ReadonlyMap<string, ImageId>): SealedEnvironment {
  const sealUnit = (kind: PathImage['unit']['kind'], name: string, generation: Generation): SealedGeneration => {
    const own = paths.filter(({ unit }) => unit.kind === kind && unit.name === name);
    const path = (colour: 'blue' | 'green') => idOf(ids, (own.find((each) => each.colour === colour) ?? own[0])?.tag);
    const members = configured.filter(({ unit }) => unit.kind === kind && unit.name === name);
    const images = (of: readonly Configured[], nameOf: (item: Configured) => string): Record<string, ImageId> =>
      Object.fromEntries(of.map((item) => [nameOf(item), idOf(ids, item.tag)]));
    const steps = members.filter(({ step }) => step);
    return {
      ...generation,
      images: {
        services: {
          ...images(
            members.filter(({ step }) => !step),
            ({ service, next }) => (next ? `${service}.${next.colour}` : service),
          ),
          ...(kind === 'app' &&
            Object.fromEntries(ownOf.filter(({ app }) => app === name).map(({ service, tag }) => [service, idOf(ids, tag)]))),
        },
        path: { blue: path('blue'), green: path('green') },
        ...(steps.length > 0 && { steps: images(steps, ({ service, step }) => `${service}/${step?.name}`) }),
      },
    };
  };
  const sealAll = (kind: 'app' | 'store', all: Readonly<Record<string, Generation>>) =>
    Object.fromEntries(Object.entries(all).map(([name, generation]) => [name, sealUnit(kind, name, generation)]));
  return {
    core: sealUnit('core', 'core', generations.core),
    apps: sealAll('app', generations.apps),
    stores: sealAll('store', generations.stores),
  };
}

function releaseRequest(manifest: Manifest, environment: string): AssembleRequest {
  const { inputs, release, outputs } = manifest;
  return {
    base: outputs.controller,
    files: [
      { path: manifestPath, contents: encodeManifest(manifest) },
      { path: environmentPath, contents: canonicalJson(environment) },
    ],
    change: {
      labels: {
        [labels.architecture]: inputs.architecture.name,
        [labels.release]: release,
        [labels.commit]: inputs.source.commit,
        [labels.environment]: environment,
        [labels.role]: 'controller',
        [labels.key]: inputs.changeless.controller satisfies ComponentKey,
        [labels.answers]: ledgerQuestions.join(' '),
      },
    },
    tag: releaseTag(inputs.architecture.name, release, environment),
  };
}

const uniqueByTag = <Item extends { tag: string }>(items: readonly Item[]): Item[] => [
  ...new Map(items.map((item) => [item.tag, item])).values(),
];

const idOf = (ids: ReadonlyMap<string, ImageId>, tag: string | undefined): ImageId =>
  member(Object.fromEntries([[tag ?? '', ids.get(tag ?? '')]]), tag ?? '');

function nth<Item>(items: readonly Item[], index: number): Item {
  const item = items[index];
  if (item === undefined) throw new Error(`the engine answered ${items.length} requests, number ${index + 1} was asked for`);
  return item;
}

function member<Item>(record: Readonly<Record<string, Item | undefined>>, name: string): Item {
  const item = record[name];
  if (item === undefined) throw new Error(`sealing without ${name}`);
  return item;
}
