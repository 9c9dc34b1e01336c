import assert from 'node:assert/strict';
import { createMemoryEngine } from '../../src/engine/memory/create-memory-engine.ts';
import { identityVolume } from '../../src/engine/engine.ts';
import { Killed } from '../../src/engine/memory/world.ts';
import type { OnceRequest, OnceResult } from '../../src/engine/image.ts';
import { engineContract, type EngineWorld } from './contract.ts';
import { onceCommands } from './contract-fixture.ts';

function runs(request: OnceRequest): Partial<OnceResult> {
  if (request.command === onceCommands.sleeps) return { exitCode: 137, timedOut: true };
  const greeting = request.files?.find(({ path }) => path === '/contract/greeting');
  return { exitCode: 3, stdout: String(greeting?.contents), stderr: 'trouble\n' };
}

const architecture = 'contract';

async function makeWorld(): Promise<EngineWorld> {
  const engine = createMemoryEngine();
  const image = (name: string) => engine.world.addImage({ tag: `contract/${name}:1` });
  const unhealthy = image('unhealthy');
  engine.world.unhealthy((spec) => spec.image === unhealthy);
  const step = image('step');
  engine.world.onStep = (spec) => (spec.image === step ? 3 : 'runs');
  engine.jobs.onStep = (spec) => (spec.image === step ? 3 : 'runs');
  engine.images.onRunOnce = runs;
  engine.world.onUpgrade = ({ command }, found) => (command === onceCommands.upgrades ? `${found}, upgraded` : undefined);
  engine.world.checkedServices = () => [];
  return {
    engine,
    architecture,
    images: {
      sandbox: image('sandbox'),
      service: image('service'),
      step,
      controller: image('controller'),
      path: { healthy: image('healthy'), unhealthy },
    },
    measure: async (path) => {
      const answers = { '1xx': 0, '2xx': 7, '3xx': 0, '4xx': 0, '5xx': 0 };
      engine.world.measure(path, {
        number: 1,
        spanMs: 1000,
        retries: 0,
        redispatches: 0,
        requests: 7,
        answers,
        connections: 0,
        open: 0,
        queue: 0,
        servers: {},
      });
    },
    use: async (name) => engine.world.use(name, { cpuMs: 3, memoryBytes: 4096 }),
    killInstance: async (name) => engine.world.kill(name),
    volumes: {
      write: async (volume, contents) => engine.world.write(architecture, volume, contents),
      read: async (volume) => engine.world.contentsOf(architecture, volume) ?? '',
    },
    secretsOf: async (name) => engine.world.secretsOf(name),
    keys: async () => (engine.world.contentsOf(architecture, identityVolume) ?? '').split('\n'),
    async breakCopy(copy) {
      engine.world.midEffect = () => {
        throw new Killed('in the middle of a copy');
      };
      await assert.rejects(engine.copyVolume(architecture, copy), Killed);
      engine.world.midEffect = undefined;
    },
    dispose: async () => {},
  };
}

engineContract('The memory engine', makeWorld);
