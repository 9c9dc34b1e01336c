import * as fc from 'fast-check';
import type { App, Architecture, Service, Store } from '../architecture/model.ts';
import type { Job, JobStep } from '../architecture/job-model.ts';
import type { CommitId, ComponentKey } from '../digest.ts';
import { componentKey } from './component-key.ts';
import type { Component, ComponentInputs, ReleaseInputs } from './manifest.ts';

/** For tests: values of releases, written by hand and arbitrary. */
export const componentInputsOf = (more: Partial<ComponentInputs> = {}): ComponentInputs => ({
  tree: 'a'.repeat(40),
  dockerfile: 'Dockerfile',
  arguments: {},
  tests: [],
  bases: { 'debian:bookworm-slim': `sha256:${'b'.repeat(64)}` },
  platform: 'linux/amd64',
  builder: 'changeless-1',
  ...more,
});

export const componentOf = (more: Partial<ComponentInputs> = {}): Component => {
  const inputs = componentInputsOf(more);
  return { key: componentKey(inputs), folder: 'folder', inputs };
};

export const serviceOf = (more: Partial<Service> = {}): Service => ({
  build: { folder: 'api', dockerfile: 'Dockerfile', arguments: {}, tests: [] },
  port: 8080,
  entry: true,
  replicas: 2,
  health: { kind: 'http', path: '/healthz', status: 200, timeoutMs: 60_000 },
  settings: { LOG: 'info' },
  files: { '/etc/app.conf': 'a = 1' },
  writable: { '/tmp': { sizeBytes: 1024 } },
  limits: { memoryBytes: 1024, processes: 16 },
  stores: ['sessions'],
  outbound: false,
  stopMs: 1000,
  ...more,
});

export const storeOf = (more: Partial<Store> = {}): Store => ({
  build: { folder: 'sessions', dockerfile: 'Dockerfile', arguments: {}, tests: [] },
  port: 6379,
  data: '/data',
  health: { kind: 'tcp', timeoutMs: 60_000 },
  settings: {},
  files: {},
  writable: {},
  limits: { memoryBytes: 1024, processes: 16 },
  stopMs: 1000,
  ...more,
});

export const appOf = (more: Partial<App> = {}): App => ({
  hosts: ['catalog.localhost'],
  services: { api: serviceOf() },
  drain: { limitMs: 30_000 },
  ...more,
});

export const jobStepOf = (more: Partial<JobStep> = {}): JobStep => ({
  name: 'unit',
  agent: 'node',
  command: ['npm', 'test'],
  settings: {},
  caches: {},
  artifacts: [],
  limits: { memoryBytes: 1024, processes: 16, cpus: 1 },
  limitMs: 1000,
  ...more,
});

/** Of one step, unless `change` says otherwise. */
export const jobOf = (change: Partial<Job> = {}, step: Partial<JobStep> = {}): Job => ({
  on: {},
  parameters: {},
  steps: [[jobStepOf(step)]],
  limitMs: 1000,
  ...change,
});

export const architectureOf = (more: Partial<Architecture> = {}): Architecture => ({
  name: 'streaming',
  core: { publish: [{ address: '127.0.0.1', port: 8080 }] },
  apps: { catalog: appOf(), accounts: appOf({ hosts: ['accounts.localhost'] }) },
  stores: { sessions: storeOf() },
  agents: {},
  environments: {},
  ...more,
});

/** Inputs whose components are those the architecture needs; `trees` gives single ones another source. */
export function inputsOf(architecture: Architecture = architectureOf(), trees: Readonly<Record<string, string>> = {}): ReleaseInputs {
  const services = Object.entries(architecture.apps).flatMap(([app, { services: own }]) =>
    Object.keys(own).map((service) => `${app}/${service}`),
  );
  const components = [...services, ...Object.keys(architecture.stores)].map((name) => [
    name,
    componentOf({ tree: trees[name] ?? 'a'.repeat(40) }),
  ]);
  return {
    schema: 1,
    architecture,
    source: { commit: 'c'.repeat(40) as CommitId, tree: 'd'.repeat(40) },
    changeless: { version: '0.1.0', controller: 'k1' as ComponentKey, proxy: 'k2' as ComponentKey, sandbox: 'k3' as ComponentKey },
    components: Object.fromEntries(components) as Record<string, Component>,
  };
}

/** Services that differ in everything that can differ. */
export const arbitraryService: fc.Arbitrary<Service> = fc
  .record({
    port: fc.integer({ min: 1, max: 65_535 }),
    replicas: fc.integer({ min: 1, max: 9 }),
    settings: fc.dictionary(fc.constantFrom('A', 'B', 'C'), fc.string()),
    files: fc.dictionary(fc.constantFrom('/a', '/b'), fc.string()),
    outbound: fc.boolean(),
    stopMs: fc.nat(),
  })
  .map(serviceOf);

export const arbitraryApp: fc.Arbitrary<App> = fc
  .record({ api: arbitraryService, hosts: fc.uniqueArray(fc.domain(), { maxLength: 2 }), limitMs: fc.nat() })
  .map(({ api, hosts, limitMs }) => appOf({ hosts, services: { api }, drain: { limitMs } }));
