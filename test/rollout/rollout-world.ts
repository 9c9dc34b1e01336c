import { secretOpener } from '../../src/secrets/open-secret.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runController } from '../../src/controller/run-controller.ts';
import type { ReleaseId } from '../../src/digest.ts';
import { createMemoryEngine } from '../../src/engine/memory/create-memory-engine.ts';
import type { ControllerSpec } from '../../src/engine/engine.ts';
import type { MemoryEngine } from '../../src/engine/memory/memory-engine.ts';
import { Killed, type EffectHook, type Verb } from '../../src/engine/memory/world.ts';
import type { RecordedEvent } from '../../src/events.ts';
import type { Http } from '../../src/http.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';
import { openMemoryLedger } from '../../src/ledger/memory-ledger.ts';
import type { Timers } from '../../src/timers.ts';
import type { Secret } from '../../src/secret.ts';
import { done } from '../../src/result.ts';
import { planFor } from './plan-for.ts';
import type { Manifest } from '../../src/release/manifest.ts';
import { fixtureIdentity } from './secret-fixture.ts';

/** An engine in memory whose controllers are the real ones. */
export type RolloutWorld = {
  engine: MemoryEngine;
  readonly ledger: Ledger;
  /** Controllers that start from now on find an empty one. */
  loseLedger: () => Promise<void>;
  events: RecordedEvent[];
  /** The key that controllers have; none when it is taken away. */
  identity: Secret | undefined;
  /** What channels and the forge were sent. */
  posted: { url: string; body: string }[];
  /** Who answers them; somebody who takes everything when left out. */
  http?: Http;
  /** Starts a controller for the release, as someone who then goes away. */
  start: (manifest: Manifest, request?: ControllerRequest) => Promise<string>;
  /** Starts a controller for the release; resolves with its next `rollout-ended`. */
  up: (manifest: Manifest, request?: ControllerRequest) => Promise<RecordedEvent & { type: 'rollout-ended' }>;
  /** Resolves when the condition holds; looks after every change of the engine and every event. */
  until: (condition: () => boolean | Promise<boolean>) => Promise<void>;
  /** Resolves when a controller of the release would find nothing to do. */
  settled: (manifest: Manifest) => Promise<void>;
  dispose: () => Promise<void>;
};

export const architecture = 'streaming';

type ControllerRequest = Pick<ControllerSpec, 'asked' | 'waits' | 'holds'>;

export async function makeRolloutWorld(): Promise<RolloutWorld> {
  const clock = clockOf(20);
  const engineClock = clockOf(1);
  const engine = createMemoryEngine({ now: () => engineClock().toISOString() });
  const openLedger = (): Promise<Ledger> => openMemoryLedger({ now: () => clock().toISOString() });
  let ledger = await openLedger();
  const events: RecordedEvent[] = [];
  const posted: RolloutWorld['posted'] = [];
  const manifests = new Map<ReleaseId, Manifest>();
  const running = new Set<Promise<unknown>>();
  const live = new Set<AbortController>();
  engine.world.onController = (spec, { container, stopped }) => {
    const manifest = manifests.get(spec.release);
    if (!manifest) throw new Error('a controller of an unknown release');
    const abort = new AbortController();
    live.add(abort);
    stopped.addEventListener('abort', () => abort.abort());
    const run = runController({
      engine,
      ledger,
      manifest,
      environment: spec.environment,
      self: container,
      print: (event) => events.push(event),
      signal: abort.signal,
      openSecret: secretOpener(async () => world.identity),
      paceMs: 4,
      clock,
      timers: hurryingTimers,
      http: async (request) => {
        const { url, body = '' } = request;
        posted.push({ url, body });
        return world.http?.(request) ?? done({ status: 200, header: () => undefined, body: '' });
      },
    }).catch((error: unknown) => {
      if (!(error instanceof Killed)) throw error;
      // What a killed process would be: the engine starts its container again.
      if (!stopped.aborted) engine.world.kill(spec.name);
    });
    running.add(run);
  };
  let count = 0;
  const until = async (condition: () => boolean | Promise<boolean>): Promise<void> => {
    const deadline = performance.now() + 20_000;
    while (!(await condition())) {
      if (performance.now() > deadline)
        throw new Error(`it never came to be; last events: ${JSON.stringify(events.slice(-8))}\n${engine.world.inventory().join('\n')}`);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const start = async (manifest: Manifest, request: ControllerRequest = {}): Promise<string> => {
    const { release, inputs, outputs } = manifest;
    manifests.set(release, manifest);
    count += 1;
    const name = `controller.${release.slice(0, 8)}.${count}`;
    const spec = { name, image: outputs.controller, release, commit: inputs.source.commit, environment: 'local', history: [] };
    await engine.startController(architecture, { ...spec, ...request });
    return name;
  };
  const world: RolloutWorld = {
    engine,
    get ledger() {
      return ledger;
    },
    async loseLedger() {
      ledger = await openLedger();
    },
    events,
    identity: fixtureIdentity,
    posted,
    start,
    async up(manifest, request) {
      const from = events.length;
      const { release } = manifest;
      const name = await start(manifest, request);
      const ended = (): (RecordedEvent & { type: 'rollout-ended' }) | undefined =>
        events.slice(from).find((event) => event.type === 'rollout-ended' && event.release === release) as never;
      await until(() => ended() !== undefined);
      const end = ended();
      if (!end) throw new Error('unreachable');
      if (end.outcome === 'failed') await engine.removeController(architecture, name);
      return end;
    },
    until,
    settled: (manifest) => until(async () => (await planFor(engine, manifest)).name === 'settled'),
    async dispose() {
      for (const abort of live) abort.abort();
      await Promise.all(running);
      await ledger.close();
    },
  };
  return world;
}

/** In a world of its own, which is disposed of whatever happens: one that is left keeps the tests' process alive. */
export async function inFreshWorld(body: (world: RolloutWorld) => Promise<void>): Promise<void> {
  const world = await makeRolloutWorld();
  try {
    await body(world);
  } finally {
    await world.dispose();
  }
}

/** A test in a world of its own, in which everything that served was served all along. */
export const inWorld = (name: string, body: (world: RolloutWorld) => Promise<void>): void => {
  void test(name, () =>
    inFreshWorld(async (world) => {
      await body(world);
      assert.deepEqual(world.engine.world.outages, []);
    }),
  );
};

/** What there is, sorted, without what tells one rollout from another. */
export const comparable = ({ engine }: RolloutWorld): string[] =>
  engine.world
    .inventory()
    .map((line) => line.replaceAll(/controller\.[0-9a-f]{8}\.\d+/g, 'controller').replaceAll(/(\.path\.[0-9a-f]{8})\.\d+/g, '$1'))
    .toSorted();

/** Each look at it is so much after the one before. The controllers' hurries, so that limits pass without anyone waiting. */
function clockOf(stepMs: number): () => Date {
  let ms = Date.UTC(2026, 0, 1);
  return () => new Date((ms += stepMs));
}

/** Whoever waits for a moment of that clock need not wait for it by ours. */
const hurryingTimers: Timers = {
  after(ms, fire) {
    const timer = setTimeout(fire, Math.min(ms, 4));
    return () => clearTimeout(timer);
  },
};

/** The engine refuses it until a rollout gives up. */
export function refuse({ engine }: RolloutWorld, verb: Verb): void {
  for (let time = 0; time < 10; time += 1) engine.world.failNext(verb, { code: 'ENGINE_REFUSED', what: 'no' });
}

/** Throws `Killed` at the numbered effect, once. */
export function killAt(effect: number): EffectHook {
  let done = false;
  return (each) => {
    if (done || each.number !== effect) return;
    done = true;
    throw new Killed(`at effect ${effect}: ${each.verb} ${each.name}`);
  };
}
