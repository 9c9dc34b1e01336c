import type { App, Architecture, Service, Store } from '../../src/architecture/model.ts';
import { digestOf, type CommitId, type ComponentKey, type ImageId } from '../../src/digest.ts';
import type { MemoryEngine } from '../../src/engine/memory/memory-engine.ts';
import { labels } from '../../src/engine/labels.ts';
import { encodeManifest } from '../../src/release/manifest-codec.ts';
import { generationsOf } from '../../src/release/generation.ts';
import {
  manifestPath,
  type Component,
  type Generation,
  type Manifest,
  type ReleaseInputs,
  type SealedGeneration,
} from '../../src/release/manifest.ts';
import { releaseId } from '../../src/release/release-id.ts';

const limits = { memoryBytes: 64 << 20, processes: 32 };
const source = { folder: 'x', dockerfile: 'Dockerfile', arguments: {}, tests: [] };

export const service = (change: Partial<Service> = {}): Service => ({
  build: source,
  port: 8080,
  entry: true,
  replicas: 2,
  health: { kind: 'http', path: '/healthz', status: 200, timeoutMs: 5000 },
  settings: {},
  files: {},
  writable: {},
  limits,
  stores: [],
  outbound: false,
  stopMs: 10_000,
  ...change,
});

export const app = (services: App['services'], host: string, drainMs = 30_000): App => ({
  hosts: [host],
  services,
  drain: { limitMs: drainMs },
});

export const store = (change: Partial<Store> = {}): Store => ({
  build: source,
  port: 6379,
  data: '/data',
  health: { kind: 'tcp', timeoutMs: 5000 },
  settings: {},
  files: {},
  writable: {},
  limits,
  stopMs: 10_000,
  ...change,
});

/** Two apps and a store, as in the example. */
export const streaming = (change: Partial<Architecture> = {}): Architecture => ({
  name: 'streaming',
  core: { publish: [{ address: '127.0.0.1', port: 8080 }] },
  apps: {
    catalog: app({ api: service(), providers: service({ entry: false, replicas: 1 }) }, 'catalog.localhost'),
    accounts: app({ api: service({ stores: ['sessions'] }) }, 'accounts.localhost'),
  },
  stores: { sessions: store() },
  agents: {},
  environments: {},
  ...change,
});

/** `keys`: component → the key it has; a change of it is a change of source. */
export type ReleaseChange = { commit?: string; architecture?: Architecture; keys?: Readonly<Record<string, string>> };

const keyOf = (text: string): ComponentKey => digestOf(['key', text]) as string as ComponentKey;

function inputsOf({ commit = 'first', architecture = streaming(), keys = {} }: ReleaseChange): ReleaseInputs {
  const names = [
    ...Object.entries(architecture.apps).flatMap(([name, { services }]) => Object.keys(services).map((each) => `${name}/${each}`)),
    ...Object.keys(architecture.stores),
  ];
  const component = (name: string): Component => ({
    key: keyOf(`${name} ${keys[name] ?? ''}`),
    folder: name,
    inputs: { tree: name, dockerfile: 'Dockerfile', arguments: {}, tests: [], bases: {}, platform: 'linux/amd64', builder: '1' },
  });
  return {
    schema: 1,
    architecture,
    source: { commit: digestOf(commit).slice(0, 40) as CommitId, tree: digestOf(commit).slice(0, 40) },
    changeless: { version: '0', controller: keyOf('controller'), proxy: keyOf('proxy'), sandbox: keyOf('sandbox') },
    components: Object.fromEntries(names.map((name) => [name, component(name)])),
  };
}

/** A release of the architecture `streaming`, with an image that holds its manifest. */
export function sealWithImage(engine: MemoryEngine, change: ReleaseChange): { manifest: Manifest; image: ImageId } {
  const manifest = sealRelease(engine, change);
  const image = engine.world.images.add({
    tag: `changeless/streaming/release:${manifest.release}`,
    files: [{ path: manifestPath, contents: encodeManifest(manifest) }],
    labels: {
      [labels.architecture]: manifest.inputs.architecture.name,
      [labels.release]: manifest.release,
      [labels.environment]: 'local',
      [labels.role]: 'controller',
    },
  });
  return { manifest, image };
}

/** A sealed release whose images the engine has. */
export function sealRelease(engine: MemoryEngine, change: ReleaseChange = {}): Manifest {
  const inputs = inputsOf(change);
  const generations = generationsOf(inputs, 'local');
  if (!generations.ok) throw new Error(generations.problem.what);
  const image = (tag: string): ImageId => engine.world.addImage({ tag });
  const seal = (name: string, generation: Generation, services: readonly string[]): SealedGeneration => ({
    ...generation,
    images: {
      services: Object.fromEntries(services.map((each) => [each, image(`t/${name}.${each}:${generation.body.slice(0, 16)}`)])),
      path: {
        blue: image(`t/${name}.path:${generation.id.slice(0, 16)}-blue`),
        green: image(`t/${name}.path:${generation.id.slice(0, 16)}-green`),
      },
    },
  });
  const { core, apps, stores } = generations.value;
  const servicesOf = (name: string): string[] => Object.keys(inputs.architecture.apps[name]?.services ?? {});
  return {
    schema: 1,
    release: releaseId(inputs),
    inputs,
    outputs: {
      controller: image('t/controller:1'),
      sandbox: image('t/sandbox:1'),
      components: {},
      environments: {
        local: {
          core: seal('core', core, []),
          apps: Object.fromEntries(Object.entries(apps).map(([name, generation]) => [name, seal(name, generation, servicesOf(name))])),
          stores: Object.fromEntries(Object.entries(stores).map(([name, generation]) => [name, seal(name, generation, ['server'])])),
        },
      },
    },
  };
}
