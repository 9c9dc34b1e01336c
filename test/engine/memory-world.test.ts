import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { BodyId, ReleaseId } from '../../src/digest.ts';
import { Killed } from '../../src/engine/memory/world.ts';
import { architecture, catalog, Catalog, expectDone, idOf } from './memory-fixture.ts';

const prepared = (): Promise<Catalog> => new Catalog().prepare();

async function servingBlue(): Promise<Catalog> {
  const app = await prepared();
  await app.serve('blue');
  return app;
}

const outages = ({ world }: Catalog): string[] => world.outages.map(({ owner, by }) => `${owner.name}: ${by}`);
const cuts = ({ world }: Catalog): string[] => world.cuts.map(({ path, by }) => `${path}: ${by}`);

describe("the eye on availability of the memory engine's world", () => {
  it('sees no outage in a handover that promotes before it drains', async () => {
    const app = await servingBlue();
    await app.serve('green');
    assert.deepEqual(app.world.serving(catalog), ['path.blue', 'path.green']);
    await expectDone(app.engine.drainPath(architecture, 'path.blue'));
    assert.deepEqual(app.world.serving(catalog), ['path.green']);
    assert.equal(await app.phase('path.blue'), 'exited');
    for (const name of ['path.blue', 'api-1.blue', 'web-1.blue']) await expectDone(app.engine.removeInstance(architecture, name));
    assert.deepEqual(outages(app), []);
  });

  const mistakes = [
    { what: 'the only path drains', by: 'drainPath path.blue', make: (app: Catalog) => app.engine.drainPath(architecture, 'path.blue') },
    {
      what: 'the only path is removed',
      by: 'removeInstance path.blue',
      make: (app: Catalog) => app.engine.removeInstance(architecture, 'path.blue'),
    },
    {
      what: 'the last instance of one service is removed',
      by: 'removeInstance web-1.blue',
      make: (app: Catalog) => app.engine.removeInstance(architecture, 'web-1.blue'),
    },
    {
      what: "the path's place is made anew",
      by: 'ensureSlot path',
      make: (app: Catalog) => app.ensure({ name: 'path', memory: 'sockets', search: 'blue' }),
    },
    { what: 'an instance is killed', by: 'kill api-1.blue', make: async (app: Catalog) => app.world.kill('api-1.blue') },
    { what: 'a place dies', by: 'kill path', make: async (app: Catalog) => app.world.killSlot('path') },
    { what: 'the engine stops', by: 'stop engine', make: async (app: Catalog) => app.world.stopEngine() },
  ];
  for (const { what, by, make } of mistakes)
    it(`sees an outage when ${what}`, async () => {
      const app = await servingBlue();
      await make(app);
      assert.deepEqual(outages(app), [`catalog: ${by}`]);
      assert.deepEqual(app.world.serving(catalog), []);
    });

  it('sees no outage while a second instance of the service runs', async () => {
    const app = await servingBlue();
    await app.ensure({ name: 'web-2-blue', colour: 'blue', facts: { instance: 'web-2', app: 'catalog', service: 'web' } });
    await app.start(app.spec({ name: 'web-2.blue', slot: 'web-2-blue' }));
    app.world.kill('web-1.blue');
    assert.deepEqual(outages(app), []);
  });

  it("does not take another body's instances in the colour for the path's own", async () => {
    const app = await servingBlue();
    await expectDone(app.engine.removeInstance(architecture, 'api-1.blue'));
    await app.start(app.spec({ name: 'api-1.blue', slot: 'api-blue', body: idOf('other') as BodyId }));
    assert.deepEqual(app.world.serving(catalog), []);
  });

  it('serves again, with one outage on record, once what was lost is back', async () => {
    const app = await servingBlue();
    app.world.kill('api-1.blue');
    await app.startBody('blue');
    assert.deepEqual(app.world.serving(catalog), ['path.blue']);
    assert.equal(app.world.outages.length, 1);
  });

  it('keeps a path draining while clients hold connections, and lets it end after', async () => {
    const app = await servingBlue();
    app.world.holdConnections('path.blue');
    await app.serve('green');
    await expectDone(app.engine.drainPath(architecture, 'path.blue'));
    assert.equal(await app.phase('path.blue'), 'draining');
    app.world.releaseConnections('path.blue');
    await Promise.resolve();
    assert.equal(await app.phase('path.blue'), 'exited');
    assert.deepEqual(cuts(app), []);
  });

  it('sees connections cut when a path that holds some loses its body, or is removed', async () => {
    for (const name of ['api-1.blue', 'path.blue']) {
      const app = await servingBlue();
      app.world.holdConnections('path.blue');
      await app.serve('green');
      await expectDone(app.engine.drainPath(architecture, 'path.blue'));
      await expectDone(app.engine.removeInstance(architecture, name));
      assert.deepEqual(cuts(app), [`path.blue: removeInstance ${name}`]);
    }
  });
});

describe('health in the memory engine', () => {
  it('is found the moment the last instance of the body runs and is healthy', async () => {
    const app = await new Catalog({ wait: () => new Promise(() => {}) }).prepare();
    app.world.checkedServices = () => ['api', 'web'];
    app.world.unhealthy(({ name }) => name === 'api-1.blue');
    await app.start(app.path('path.blue', 'blue'));
    const waiting = app.engine.awaitHealthy(architecture, 'path.blue', 1000);
    await app.startBody('blue');
    const seen = await expectDone(app.engine.observe(architecture));
    assert.deepEqual(seen.instances.find(({ name }) => name === 'path.blue')?.path, {
      phase: 'checking',
      failing: [{ server: 'api-1', asked: 'GET /healthz', check: 'L7STS', code: 502, detail: 'Bad Gateway' }],
    });
    app.world.unhealthy(() => false);
    await expectDone(waiting);
  });
});

describe("misuse of the memory engine throws, because it is the caller's bug:", () => {
  const misuses: { what: string; says: RegExp; make: (app: Catalog) => Promise<unknown> }[] = [
    {
      what: 'an image that is not there',
      says: /no image/,
      make: (app) => app.start(app.spec({ name: 'x', slot: 'api-blue', image: 'sha256:0' as typeof app.image })),
    },
    { what: 'a slot that is not there', says: /not there/, make: (app) => app.start(app.spec({ name: 'x', slot: 'nowhere' })) },
    { what: 'a slot that was seen not to be ready', says: /not ready/, make: startInDeadSlot },
    {
      what: 'the removal of a slot that has members',
      says: /has a member, api-1.blue/,
      make: (app) => app.engine.removeSlot(architecture, 'api-blue'),
    },
    {
      what: 'the removal of a network that has members',
      says: /has a member/,
      make: (app) => app.engine.removeNetwork(architecture, 'catalog'),
    },
    {
      what: 'two running instances of one name',
      says: /another instance runs/,
      make: (app) => app.start(app.spec({ name: 'api-1.blue', slot: 'api-green' })),
    },
    { what: 'a second server on one volume', says: /still runs on volume data/, make: startTwoServers },
    { what: 'the promotion of a path that never was healthy', says: /never healthy/, make: promoteUnhealthy },
    { what: 'the promotion of a path that was seen to have ended', says: /has ended/, make: promoteEnded },
    { what: 'the promotion of a path that drains', says: /drains/, make: promoteDraining },
    {
      what: 'a path in a slot without sockets',
      says: /keeps sockets/,
      make: (app) => app.start(app.path('path.x', 'blue', { slot: 'api-green' })),
    },
  ];
  for (const { what, says, make } of misuses)
    it(what, async () => {
      await assert.rejects(make(await servingBlue()), says);
    });

  it('but not what could not be known yet: a slot or path that died since it was last observed', async () => {
    const app = await servingBlue();
    app.world.killSlot('api-green');
    const started = await app.engine.startInstance(architecture, app.spec({ name: 'x', slot: 'api-green' }));
    assert.equal(!started.ok && started.problem.code, 'ENGINE_REFUSED');
    await app.start(app.path('path.next', 'blue'));
    await expectDone(app.engine.awaitHealthy(architecture, 'path.next', 1));
    app.world.kill('path.next');
    const promoted = await app.engine.promotePath(architecture, 'path.next');
    assert.equal(!promoted.ok && promoted.problem.code, 'ENGINE_REFUSED');
  });
});

async function startInDeadSlot(app: Catalog): Promise<void> {
  app.world.killSlot('api-green');
  await app.engine.observe(architecture);
  await app.start(app.spec({ name: 'x', slot: 'api-green' }));
}

async function startTwoServers(app: Catalog): Promise<void> {
  await expectDone(app.engine.ensureVolume(architecture, { name: 'data', owner: catalog }));
  const mounts = [{ kind: 'volume', volume: 'data', path: '/data' }] as const;
  for (const name of ['server-1', 'server-2']) await app.start(app.spec({ name, slot: 'api-green', role: 'server', mounts }));
}

async function promoteUnhealthy(app: Catalog): Promise<void> {
  app.world.unhealthy(({ name }) => name === 'path.next');
  await app.start(app.path('path.next', 'blue'));
  await app.engine.awaitHealthy(architecture, 'path.next', 1);
  await app.engine.promotePath(architecture, 'path.next');
}

async function promoteEnded(app: Catalog): Promise<void> {
  app.world.kill('path.blue');
  await app.engine.observe(architecture);
  await app.engine.promotePath(architecture, 'path.blue');
}

async function promoteDraining(app: Catalog): Promise<void> {
  app.world.holdConnections('path.blue');
  await app.engine.drainPath(architecture, 'path.blue');
  await app.engine.promotePath(architecture, 'path.blue');
}

describe('effects of the memory engine', () => {
  const moments = [
    { hook: 'beforeEffect', left: undefined },
    { hook: 'midEffect', left: 'created' },
    { hook: 'afterEffect', left: 'running' },
  ] as const;
  for (const { hook, left } of moments)
    it(`leave what a controller killed in ${hook} would, and are repeated safely`, async () => {
      const app = await prepared();
      const before = app.world.effects;
      app.world[hook] = ({ number }) => {
        if (number === before + 1) throw new Killed(hook);
      };
      const spec = app.spec({ name: 'api-1.blue', slot: 'api-blue' });
      await assert.rejects(app.start(spec), Killed);
      assert.equal((await expectDone(app.engine.observe(architecture))).instances[0]?.state, left);
      await app.start(spec);
      assert.equal((await expectDone(app.engine.observe(architecture))).instances[0]?.state, 'running');
      assert.equal(app.world.effects, before + 2);
    });

  it('fail once as ordered, and change nothing', async () => {
    const app = await prepared();
    const before = app.world.inventory();
    app.world.failNext('startInstance', { code: 'NO_SPACE', what: 'the disk is full' });
    const result = await app.engine.startInstance(architecture, app.spec({ name: 'api-1.blue', slot: 'api-blue' }));
    assert.equal(!result.ok && result.problem.code, 'NO_SPACE');
    assert.deepEqual(app.world.inventory(), before);
    await app.startBody('blue');
  });

  it('refuse a port that someone else holds, and say who', async () => {
    const app = await prepared();
    const port = { address: '127.0.0.1', port: 8080, target: 8080 };
    app.world.takePort(port, 'container nginx');
    const result = await app.engine.ensureSlot(architecture, app.slot({ name: 'core', publish: [port] }));
    assert.equal(!result.ok && result.problem.code, 'PORT_TAKEN');
    assert.equal(await app.engine.portHolder(port), 'container nginx');
  });

  it('are the same, ids included, in every run', async () => {
    const [one, other] = [await servingBlue(), await servingBlue()];
    assert.deepEqual(await other.engine.observe(architecture), await one.engine.observe(architecture));
    assert.deepEqual(other.world.inventory(), one.world.inventory());
  });
});

describe('controllers and the end of the engine', () => {
  const spec = (app: Catalog) =>
    ({
      name: 'controller',
      image: app.image,
      release: idOf('release') as ReleaseId,
      commit: 'uncommitted',
      environment: 'local',
      history: [],
    }) as const;

  it('start a killed controller again in the same container', async () => {
    const app = await prepared();
    const runs: { container: string; stopped: AbortSignal }[] = [];
    app.world.onController = (_, run) => void runs.push(run);
    await expectDone(app.engine.startController(architecture, spec(app)));
    app.world.kill('controller');
    assert.equal(runs.length, 2);
    assert.equal(runs[0]?.container, runs[1]?.container);
    assert.deepEqual(
      runs.map(({ stopped }) => stopped.aborted),
      [true, false],
    );
  });

  it('bring back the controllers and nothing else after a reboot; volumes are kept', async () => {
    const app = await servingBlue();
    await expectDone(app.engine.ensureVolume(architecture, { name: 'data', owner: catalog }));
    await expectDone(app.engine.startController(architecture, spec(app)));
    app.world.stopEngine();
    const result = await app.engine.observe(architecture);
    assert.equal(!result.ok && result.problem.code, 'ENGINE_ABSENT');
    app.world.startEngine();
    const seen = await expectDone(app.engine.observe(architecture));
    assert.deepEqual(
      [...seen.slots.map(({ ready }) => ready), ...seen.instances.map(({ state }) => state === 'running')].filter(Boolean),
      [],
    );
    assert.deepEqual(
      seen.controllers.map(({ state }) => state),
      ['running'],
    );
    assert.deepEqual(
      seen.volumes.map(({ name }) => name),
      ['data'],
    );
  });
});
