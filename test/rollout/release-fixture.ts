import type { App, Architecture, Service, Store } from '../../src/architecture/model.ts';
import { digestOf, type CommitId, type ComponentKey, type ImageId } from '../../src/digest.ts';
import type { MemoryEngine } from '../../src/engine/memory/memory-engine.ts';
import type { Problem } from '../../src/problem.ts';
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
import { wayOut } from '../../src/release/way-out.ts';
import { usedVersions } from '../../src/release/secret-references.ts';
import { fixtureSecrets } from './secret-fixture.ts';

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

/** Steps that run their own name. */
export const steps = (before: readonly string[], after: readonly string[] = [], limitMs = 60_000): NonNullable<Service['steps']> => {
  const step = (name: string) => ({ name, command: [name], limitMs });
  return { before: before.map(step), after: after.map(step) };
};

export const app = (services: App['services'], host: string, drainMs = 30_000): App => ({
  hosts: [host],
  services,
  drain: { limitMs: drainMs },
});

/** An app whose requests pass two stages. */
export const staged = (change: Partial<App> = {}): App => {
  const stage = service({ entry: false, replicas: 1 });
  return { ...app({ waf: stage, auth: stage, api: service() }, 'catalog.localhost'), stages: ['waf', 'auth'], ...change };
};

/** The same app, where it lived before. */
export const elsewhere = (change: Partial<App> = {}): App => ({
  ...app({}, 'catalog.localhost'),
  elsewhere: { host: 'legacy.example.com', port: 80, health: { kind: 'http', path: '/healthz', status: 200, timeoutMs: 500 } },
  ...change,
});

/** The example, with another catalog. */
export const withCatalog = (catalog: App): Architecture => streaming({ apps: { ...streaming().apps, catalog } });

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

/** The same, whose catalog and whose store get a secret. */
export const secretive = (version: number): Architecture =>
  streaming({
    secrets: { dbPassword: { version } },
    apps: { ...streaming().apps, catalog: app({ api: service({ secrets: { dbPassword: 'password' } }) }, 'catalog.localhost') },
    stores: { sessions: store({ secrets: { dbPassword: 'dbPassword' } }) },
  });

/** `keys`: component → the key it has; a change of it is a change of source. `unbuilt`: apps that could not be built. */
export type ReleaseChange = {
  commit?: string;
  architecture?: Architecture;
  keys?: Readonly<Record<string, string>>;
  unbuilt?: readonly string[];
};

/** Why the fixture's unbuilt apps are. */
const broken: Problem = { code: 'TESTS_FAILED', what: 'its tests failed' };

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
    ...(usedVersions(architecture).length > 0 && { secrets: fixtureSecrets }),
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
  const seal = (
    name: string,
    generation: Generation,
    { services = [], steps = [] }: { services?: readonly string[]; steps?: readonly string[] } = {},
  ): SealedGeneration => ({
    ...generation,
    images: {
      ...(steps.length > 0 && {
        steps: Object.fromEntries(
          steps.map((each) => [each, image(`changeless/streaming/${name}.${each}:${generation.body.slice(0, 16)}`)]),
        ),
      }),
      services: Object.fromEntries(
        services.map((each) => [each, image(`changeless/streaming/${name}.${each}:${generation.body.slice(0, 16)}`)]),
      ),
      path: {
        blue: image(`changeless/streaming/${name}.path:${generation.id.slice(0, 16)}-blue`),
        green: image(`changeless/streaming/${name}.path:${generation.id.slice(0, 16)}-green`),
      },
    },
  });
  const { core, apps, stores } = generations.value;
  const { unbuilt = [] } = change;
  const built = Object.entries(apps).filter(([name]) => !unbuilt.includes(name));
  const membersOf = (name: string): { services: string[]; steps: string[] } => {
    const own = inputs.architecture.apps[name];
    const all = Object.entries(own?.services ?? {});
    const stepsOf = ({ steps }: Service): string[] => [...(steps?.before ?? []), ...(steps?.after ?? [])].map((step) => step.name);
    return {
      services: [
        ...all.flatMap(([each]) => (own?.stages?.includes(each) ? [`${each}.blue`, `${each}.green`] : [each])),
        ...(own?.elsewhere ? [wayOut] : []),
      ],
      steps: all.flatMap(([each, member]) => stepsOf(member).map((step) => `${each}/${step}`)),
    };
  };
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
          core: seal('core', core),
          apps: Object.fromEntries(built.map(([name, generation]) => [name, seal(name, generation, membersOf(name))])),
          stores: Object.fromEntries(
            Object.entries(stores).map(([name, generation]) => [name, seal(name, generation, { services: ['server'] })]),
          ),
        },
      },
      ...(unbuilt.length > 0 && { unbuilt: Object.fromEntries(unbuilt.map((name) => [name, broken])) }),
    },
  };
}
