import type { Manifest } from '../../src/release/manifest.ts';
import type { MemoryEngine } from '../../src/engine/memory/memory-engine.ts';
import { app, sealWithImage, service, steps, store, streaming } from '../rollout/release-fixture.ts';
import type { Random } from './random.ts';

/** What a simulated repository holds. Small on purpose: what there is more of behaves as what there is. */
export type Sketch = {
  commit: number;
  keys: Readonly<Record<string, string>>;
  third: boolean;
  cache: boolean;
  drainMs: number;
  port: number;
  replicas: number;
  /** Whether the catalog has steps. */
  steps: boolean;
  /** How long the catalog bakes, with an alarm on its errors; 0: not at all. */
  bakeMs: number;
  /** The version of a secret that the catalog gets; none when left out. */
  secret?: number;
};

export const firstSketch: Sketch = {
  commit: 1,
  keys: {},
  third: false,
  cache: false,
  drainMs: 30_000,
  port: 8080,
  replicas: 2,
  steps: true,
  bakeMs: 0,
};

const components = ['catalog/api', 'catalog/providers', 'accounts/api', 'sessions'] as const;

/** The next commit: one or two things are different, sometimes nothing that runs. */
export function changedSketch(before: Sketch, random: Random): Sketch {
  const once = { ...before, ...change(before, random) };
  return random.chance(0.5) ? { ...once, ...change(once, random) } : once;
}

function change(sketch: Sketch, random: Random): Partial<Sketch> {
  const what = random.between(0, 99);
  if (what < 50) return { keys: { ...sketch.keys, [random.pick(components)]: String(random.between(1, 1_000_000)) } };
  if (what < 62) return { drainMs: random.between(5, 60) * 1000 };
  if (what < 74) return { third: !sketch.third };
  if (what < 82) return { cache: !sketch.cache };
  if (what < 88) return { port: sketch.port === 8080 ? 9090 : 8080 };
  if (what < 93) return { replicas: random.between(1, 3) };
  if (what < 95) return { steps: !sketch.steps };
  if (what < 98) return { bakeMs: sketch.bakeMs > 0 ? 0 : bakeMs(random) };
  if (what < 99) return { secret: sketch.secret === 1 ? 2 : 1 };
  return {};
}

export const bakeMs = (random: Random): number => random.between(5, 60) * 1000;

export function sealSketch(engine: MemoryEngine, sketch: Sketch): Manifest {
  const { commit, keys, third, cache, drainMs, port, replicas, secret } = sketch;
  const secretive = secret !== undefined && { secrets: { dbPassword: 'password' } };
  const stepping = sketch.steps && { steps: steps(['migrate', 'index'], ['warm']) };
  const stores = { sessions: store(), ...(cache && { cache: store() }) };
  const apps = {
    catalog: {
      ...app(
        { api: service({ replicas, ...stepping, ...secretive }), providers: service({ entry: false, replicas: 1 }) },
        'catalog.localhost',
        drainMs,
      ),
      ...(sketch.bakeMs > 0 && {
        bake: { forMs: sketch.bakeMs },
        alarms: { errors: { metric: 'error-ratio' as const, above: 0.1, forMs: 2000 } },
      }),
    },
    accounts: app({ api: service({ replicas: 1, stores: ['sessions'] }) }, 'accounts.localhost'),
    ...(third && { third: app({ web: service({ replicas: 1, outbound: true, stores: Object.keys(stores) }) }, 'third.localhost') }),
  };
  const architecture = streaming({
    core: { publish: [{ address: '127.0.0.1', port }] },
    apps,
    stores,
    ...(secret !== undefined && { secrets: { dbPassword: { version: secret } } }),
  });
  return sealWithImage(engine, { commit: `commit ${commit}`, architecture, keys }).manifest;
}
