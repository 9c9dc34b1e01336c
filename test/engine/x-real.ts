import { makeDockerWorld } from './docker-world.ts';
import { renderAppPath } from '../../src/datapath/app-path.ts';
import { network, slotSpec, valueOf, observe, slotIn, instanceSpec, phaseIn, until, instanceIn } from './contract-fixture.ts';
const world = await makeDockerWorld();
const { engine, architecture } = world;
const ms = async (name: string, work: () => Promise<unknown>) => { const t = performance.now(); await work(); console.log(name.padEnd(30), (performance.now() - t).toFixed(1)); };
try {
  const proxy = (await engine.images.list({ reference: 'changeless/system/proxy' }))[0]!;
  const node = (await engine.images.inspect('node:24-bookworm-slim'))!;
  const cfg = (g: string) => renderAppPath({ generation: g, colour: 'blue', entry: 'api', drainLimitMs: 5000, services: [{ name: 'api', port: 8080, replicas: 1, health: { kind: 'http', path: '/', status: 200 } }] });
  const images = await engine.images.assemble([...['g1','g2'].map((g) => ({ base: proxy.id, files: [{ path: '/etc/changeless/path/waiting.cfg', contents: cfg(g).waiting }, { path: '/etc/changeless/path/proxy.cfg', contents: cfg(g).proxy }], change: {}, tag: `changeless-test/${g}:${architecture}` })),
    { base: node.id, files: [{ path: '/app/s.js', contents: 'require("http").createServer((q,r)=>r.end("ok")).listen(8080)' }], change: { entrypoint: ['node', '/app/s.js'], command: [] }, tag: `changeless-test/srv:${architecture}` }]);
  valueOf(await engine.ensureNetwork(architecture, { ...network, internal: true }));
  await Promise.all([
    ms('slot api', async () => valueOf(await engine.ensureSlot(architecture, slotSpec(world, { name: 'api', search: 'blue', networks: [{ network: network.name, aliases: ['api.blue', 'api-1.blue'] }] })))),
    ms('slot path', async () => valueOf(await engine.ensureSlot(architecture, slotSpec(world, { name: 'path', memory: 'sockets' }))))]);
  await ms('start api', async () => valueOf(await engine.startInstance(architecture, instanceSpec(world, { name: 'api1', slot: 'api', image: images[2]! }))));
  const path = (n: string, i: number) => instanceSpec(world, { name: n, slot: 'path', role: 'path', image: images[i]! });
  await ms('start path 1', async () => valueOf(await engine.startInstance(architecture, path('p1', 0))));
  await ms('healthy', async () => console.log(JSON.stringify(await engine.awaitHealthy(architecture, 'p1', 10000))));
  console.log((await observe(world)).instances.map((i) => [i.name, JSON.stringify(i.path)]));
  await ms('promote', async () => valueOf(await engine.promotePath(architecture, 'p1')));
  await ms('start path 2', async () => valueOf(await engine.startInstance(architecture, path('p2', 1))));
  await ms('healthy 2', async () => console.log(JSON.stringify(await engine.awaitHealthy(architecture, 'p2', 10000))));
  await ms('promote 2', async () => valueOf(await engine.promotePath(architecture, 'p2')));
  console.log(phaseIn(await observe(world), 'p1'), phaseIn(await observe(world), 'p2'));
  await ms('drain', async () => valueOf(await engine.drainPath(architecture, 'p1')));
  await ms('ended', () => until(world, 'x', (s) => instanceIn(s, 'p1')?.state === 'exited'));
  for await (const l of engine.logs(architecture, 'p2', { follow: false })) console.log(l.line);
  console.log(JSON.stringify(await engine.inspectInstances(architecture)));
} finally { await world.dispose(); }
