import { addressOf, call, containersOf, create, inspect, removeArchitecture } from './engine-calls.ts';
import type { Where } from './store-writers.ts';
import type { Ground, World } from './world.ts';

/** A server as one would run it by hand, with data of its own. */
export type BareServer = { where: () => Where; swap: () => Promise<void> };

/** As the engine copies: durable before it is called whole. */
const COPY = 'set -e; find /to -mindepth 1 -delete; cp -a --reflink=auto /from/. /to/; sync -f /to';

type Mounted = { Source: string; Target: string };

/** Makes it from the store's server that runs: same image and limits, data of its own in the same place, its own network, no data path. */
export async function makeBareServer(
  ground: Ground,
  world: World,
  store: { name: string; port: number; data: string },
): Promise<BareServer> {
  const name = `${world.name}-bare-${store.name}`;
  const Labels = { 'dev.changeless.architecture': name };
  ground.onCleanUp(() => removeArchitecture(name));
  const all = await containersOf(world.name);
  const server = all.find(
    (each) =>
      each.Labels['dev.changeless.store'] === store.name && each.Labels['dev.changeless.role'] === 'server' && each.State === 'running',
  );
  if (!server) throw new Error(`${world.name} has no server of ${store.name}`);
  const { Image, HostConfig } = await inspect(server.Id);
  // Its slot's memory is a volume too, and no data.
  const data = ((HostConfig['Mounts'] ?? []) as Mounted[]).find(({ Target }) => Target === store.data);
  if (!data) throw new Error(`the server of ${store.name} has no volume at ${store.data}`);
  await call('POST', '/networks/create', { json: { Name: name, Labels } });
  await call('POST', '/volumes/create', { json: { Name: name, Labels } });
  const copy = async (from: string, to: string): Promise<void> => {
    const volumes = [
      { Type: 'volume', Source: from, Target: '/from', ReadOnly: true },
      { Type: 'volume', Source: to, Target: '/to' },
    ];
    await runOnce(`${name}-copier`, { Image, User: '0', Cmd: ['sh', '-c', COPY], Labels, HostConfig: { Mounts: volumes } });
  };
  const config = { Image, Labels, HostConfig: { ...HostConfig, NetworkMode: name, Mounts: [{ ...data, Source: name }] } };
  const container = await create(name, config);
  await call('POST', `/containers/${container}/start`);
  let address = await addressOf(container);
  return {
    where: () => ({ address, port: store.port }),
    async swap() {
      const snapshot = `${name}-snapshot`;
      await call('POST', `/containers/${container}/stop?t=60`);
      await call('POST', '/volumes/create', { json: { Name: snapshot, Labels } });
      await copy(name, snapshot);
      await call('POST', `/containers/${container}/start`);
      address = await addressOf(container);
      await call('DELETE', `/volumes/${snapshot}`);
    },
  };
}

async function runOnce(name: string, config: object): Promise<void> {
  const container = await create(name, config);
  await call('POST', `/containers/${container}/start`);
  const { body } = await call('POST', `/containers/${container}/wait`);
  if ((JSON.parse(body) as { StatusCode: number }).StatusCode !== 0) throw new Error(`${name} failed`);
  await call('DELETE', `/containers/${container}?force=1`);
}
