import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { setImmediate as aTurn } from 'node:timers/promises';
import { workFolder } from '../../src/architecture/job-model.ts';
import type { ImageId, ReleaseId, RunId } from '../../src/digest.ts';
import { hostAddress } from '../../src/engine/docker/host.ts';
import { placeName } from '../../src/engine/docker/job-names.ts';
import type { JobStepSpec, ObservedJobStep } from '../../src/engine/job-steps.ts';
import type { LayerItem } from '../../src/engine/image.ts';
import { Secret } from '../../src/secret.ts';
import { conditionLimitMs, valueOf } from './contract-fixture.ts';
import { makeDockerWorld, type DockerWorld } from './docker-world.ts';
import { after, before, it, story } from './story.ts';

const run = 'jobs-1' as RunId;
const owner = { user: 1000, group: 1000 };

/** Shell that listens to the world on a port, and does this once it does. */
const listening = (port: number, then = ''): string =>
  `perl -MSocket -e '$| = 1; socket(S,PF_INET,SOCK_STREAM,0); bind(S,sockaddr_in(${port},INADDR_ANY)); listen(S,5); ${then}; sleep 600'`;

/** Bash that says whether an address answers. */
const reach = (address: string): string => {
  const [host, port] = address.split(':');
  return `exec 3<>/dev/tcp/${host}/${port} && echo REACHED ${address}`;
};

/** Something on the engine's host that anybody may speak to who reaches it. */
async function hostListener(): Promise<{ port: number; addresses: string[] } & AsyncDisposable> {
  const server = createServer((socket) => socket.end()).listen(0, '0.0.0.0');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    port,
    addresses: [hostAddress()].filter((address) => address !== '127.0.0.1'),
    [Symbol.asyncDispose]: async () => void server.close(),
  };
}

story('a step on Docker Engine', () => {
  let world: DockerWorld;
  before(async () => {
    world = await makeDockerWorld();
  });
  after(() => world?.dispose());
  let count = 0;

  /** An image that has a tree in its folder, and runs this as a plain user. */
  async function imageOf(script: string): Promise<ImageId> {
    const files: LayerItem[] = [
      { path: workFolder, folder: true, owner },
      { path: '/var/cache/packages', folder: true, owner },
      { path: `${workFolder}/README`, contents: 'the commit', mode: 0o644, owner },
    ];
    const base = (await world.engine.images.inspect('debian:bookworm-slim'))?.id;
    assert.ok(base);
    const change = { entrypoint: ['sh', '-c', script], command: [], user: '1000:1000', workingFolder: '/work' };
    const tag = `changeless-test/job-${(count += 1)}:${world.architecture}`;
    const [id] = await world.engine.images.assemble([{ base, files, change, tag }]);
    assert.ok(id);
    return id;
  }

  const specOf = (step: string, image: ImageId, more: Partial<JobStepSpec> = {}): JobStepSpec => ({
    run,
    step,
    job: 'test',
    token: 1,
    image,
    place: world.images.sandbox,
    caches: {},
    secrets: [],
    limits: { memoryBytes: 128 * 2 ** 20, processes: 64, cpus: 1 },
    diskBytes: 2 ** 30,
    origin: { environment: 'local', release: 'a'.repeat(64) as ReleaseId, commit: 'uncommitted' },
    ...more,
  });

  async function seen(step: string): Promise<ObservedJobStep | undefined> {
    return valueOf(await world.engine.jobs.list(world.architecture)).find((each) => each.step === step);
  }

  type Condition = (seen: ObservedJobStep | undefined) => boolean | Promise<boolean>;

  async function until(step: string, isSo: Condition): Promise<ObservedJobStep | undefined> {
    const deadline = performance.now() + conditionLimitMs;
    for (;;) {
      const now = await seen(step);
      if (await isSo(now)) return now;
      assert.ok(performance.now() < deadline, `waited in vain for ${step}: ${JSON.stringify(now)}`);
      await aTurn();
    }
  }

  async function begin(spec: JobStepSpec, brought: { from: string; paths: string[] }[] = [], values = {}): Promise<void> {
    const container = valueOf(await world.engine.jobs.prepare(world.architecture, spec, brought));
    valueOf(await world.engine.jobs.start(world.architecture, { container, spec, values }));
  }

  const hasEnded = (step: string): Promise<ObservedJobStep | undefined> => until(step, (now) => now?.state === 'exited');

  async function said(step: string): Promise<string> {
    const lines: string[] = [];
    for await (const { line } of world.engine.jobs.logs(world.architecture, { run, step }, { follow: false })) lines.push(line);
    return lines.join('\n');
  }

  async function output(step: string, script: string, more: Partial<JobStepSpec> = {}): Promise<string> {
    await begin(specOf(step, await imageOf(script), more));
    await hasEnded(step);
    return said(step);
  }

  it('finds the tree in a folder of its own, where it may write; all else is read-only but /tmp', async () => {
    const script = 'id -u; cat README; echo mine > made && cat made; touch /etc/x 2>&1; cp /bin/true /tmp/x && /tmp/x && echo runs';
    const text = await output('/folder', script);
    assert.match(text, /^1000\nthe commit\n?mine\n[^\n]*Read-only file system\nruns$/);
  });

  it('hands artifacts on as they are, into folders that are not there yet', async () => {
    const makes = 'mkdir -p out/deep && printf one > out/deep/a && ln -s a out/deep/b && chmod 700 out/deep/a';
    await output('/makes', makes);
    const reads = await imageOf('cat out/deep/b; stat -c "%a %u" out/deep/a; cat README');
    await begin(specOf('/reads', reads), [{ from: '/makes', paths: ['out/deep'] }]);
    await hasEnded('/reads');
    assert.equal(await said('/reads'), 'one700 1000\nthe commit');
  });

  it('keeps caches from step to step', async () => {
    const more = { caches: { packages: '/var/cache/packages' } };
    assert.equal(await output('/cache-1', 'cat /var/cache/packages/x 2>&1 | wc -l; echo kept > /var/cache/packages/x', more), '1');
    assert.equal(await output('/cache-2', 'cat /var/cache/packages/x', more), 'kept');
  });

  it('reaches neither the engine, the ledger, the metadata address, the host nor another step', async () => {
    const port = 8080;
    await begin(specOf('/listens', await imageOf(listening(port, 'print "ready\\n"'))));
    await until('/listens', async () => (await said('/listens')).includes('ready'));
    const place = await world.inspect(placeName({ run, step: '/listens' }));
    const [endpoint] = Object.values(place.NetworkSettings.Networks ?? {});
    assert.ok(endpoint?.IPAddress);
    const gateway = endpoint.IPAddress.replace(/\.\d+$/, '.1');
    await using host = await hostListener();
    const closed = [
      `169.254.169.254:80`,
      `${gateway}:${host.port}`,
      ...host.addresses.map((address) => `${address}:${host.port}`),
      `${endpoint.IPAddress}:${port}`,
    ];
    const text = await output(
      '/probes',
      [
        'ls /var/run/docker.sock /run/docker.sock /ledger /identity 2>/dev/null',
        `${listening(port)} &`,
        `until bash -c '${reach(`127.0.0.1:${port}`)}' 2>/dev/null; do :; done`,
        ...closed.map((address) => `timeout 4 bash -c '${reach(address)}' 2>&1`),
        'echo over',
      ].join('\n'),
    );
    assert.deepEqual(text.match(/REACHED .*/g), [`REACHED 127.0.0.1:${port}`]);
    assert.match(text, /169\.254\.169\.254[^\n]*(No route|unreachable)/);
    assert.match(text, /over$/);
    assert.doesNotMatch(text, /docker\.sock|ledger|identity/);
  });

  it('is ended when it ignores what it is told, forks without end, wants too much memory or fills its folder', async () => {
    await begin(specOf('/deaf', await imageOf("trap '' TERM; echo ready; while :; do sleep 1; done")));
    const name = { run, step: '/deaf' };
    valueOf(await world.engine.jobs.signal(world.architecture, name, 'SIGTERM'));
    assert.equal((await seen('/deaf'))?.state, 'running');
    valueOf(await world.engine.jobs.signal(world.architecture, name, 'SIGKILL'));
    assert.equal((await hasEnded('/deaf'))?.exitCode, 137);
    assert.match(await output('/forks', 'for i in $(seq 200); do sleep 30 & done 2>&1; echo over'), /fork|Resource/);
    const wants = "perl -e '$x = q(a) x (512 * 1024 * 1024); print 1'";
    await begin(specOf('/eats', await imageOf(wants)));
    const eaten = await hasEnded('/eats');
    assert.deepEqual([eaten?.exceeded, eaten?.exitCode === 0], ['memory', false]);
    await begin(specOf('/fills', await imageOf('head -c 64M /dev/zero > big; sleep 600'), { diskBytes: 2 ** 20 }));
    assert.equal((await until('/fills', (now) => now?.exceeded !== undefined))?.exceeded, 'disk');
  });

  it('finds its secrets in memory, readable by it alone', async () => {
    const secrets = [{ file: 'token', secret: 'apiToken', version: 1, sealed: '' }];
    const image = await imageOf(
      'cat /run/secrets/token; stat -c " %a" /run/secrets/token; touch /run/secrets/x 2>/dev/null || echo closed',
    );
    await begin(specOf('/secret', image, { secrets }), [], { token: new Secret('s3cret') });
    await hasEnded('/secret');
    assert.equal(await said('/secret'), 's3cret 400\nclosed');
  });

  it('leaves nothing behind when all is cleared away', async () => {
    valueOf(await world.engine.jobs.clear(world.architecture, { caches: true }));
    const query = { filters: { label: [`dev.changeless.architecture=${world.architecture}`] } };
    const { Volumes } = await world.client.json<{ Volumes: { Name: string }[] | null }>({ path: '/volumes', query });
    assert.deepEqual(Volumes ?? [], []);
    const containers = await world.client.json<unknown[]>({ path: '/containers/json', query: { all: 1, ...query } });
    assert.deepEqual(containers, []);
  });
});
