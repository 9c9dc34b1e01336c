import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { startClients } from '../test/engine/keep-alive-load.ts';
import { appNames, hostOf, keepNoLog, makeAppsWorld } from './apps-world.ts';
import { addressOf, call, containersOf, create, inspect, networksOf } from './engine-calls.ts';
import { compare, inTurns, roundsOr, type Row } from './measure.ts';
import type { Ground, World } from './world.ts';

const PORT = 18101;
const BARE_PORT = 18102;
const ROUNDS = roundsOr(8);
const CLIENTS = 16;
const LOAD_MS = 4_000;

/**
 * (i) What a request costs the processors in core and data path, beside two bare HAProxy hops with the same connection policy, which
 * count nothing and write nothing down; and the same without access logs.
 */
export async function hops(ground: Ground): Promise<{ rows: Row[] }> {
  const [name = ''] = appNames(1);
  const world = await makeAppsWorld(ground, { apps: 1, more: 0, port: PORT });
  await world.changeless('up');
  await world.settled();
  const bare = await startBareHops(ground, world);
  const rows = [await compared(world, bare, 'in core and data path')];
  keepNoLog(world, name);
  await world.commit();
  await world.changeless('up');
  await world.settled();
  return { rows: [...rows, await compared(world, bare, 'in core and data path, which keeps no access log')] };
}

async function compared(world: World, bare: readonly string[], where: string): Promise<Row> {
  const host = hostOf(appNames(1)[0] ?? '');
  const own = await proxiesOf(world.name);
  const pairs = await inTurns(
    { rounds: ROUNDS },
    {
      measured: () => microsecondsOf(own, { address: '127.0.0.1', port: PORT, host }),
      floor: () => microsecondsOf(bare, { address: '127.0.0.1', port: BARE_PORT, host }),
    },
  );
  const what = `µs of processor time a request takes ${where}; floor: two bare HAProxy hops with the same connection policy`;
  return { ...compare({ bench: 'hops', what }, pairs, 1.1), unit: 'count' };
}

/** The core's proxy and the one app's. */
async function proxiesOf(architecture: string): Promise<string[]> {
  const all = await containersOf(architecture);
  return all.filter(({ State, Labels }) => State === 'running' && Labels['dev.changeless.role'] === 'path').map(({ Id }) => Id);
}

/** Processor time of the containers for each request that was answered, in microseconds. */
async function microsecondsOf(containers: readonly string[], target: { address: string; port: number; host: string }): Promise<number> {
  const load = startClients(target, { clients: CLIENTS, pauseMs: 0, method: 'GET' });
  await pause(LOAD_MS / 4);
  const before = { answered: load.tally.answered, used: usedBy(containers) };
  await pause(LOAD_MS);
  const used = usedBy(containers) - before.used;
  const answered = load.tally.answered - before.answered;
  await load.stop();
  if (load.tally.failed.length > 0) throw new Error(load.tally.failed[0]);
  return used / 1000 / answered;
}

/** Nanoseconds, by the accounts of the kernel's control groups. Needs the engine's host. */
const usedBy = (containers: readonly string[]): number => containers.reduce((sum, id) => sum + usageOf(id), 0);

function usageOf(container: string): number {
  const [, version1] = attempt(`/sys/fs/cgroup/cpuacct/docker/${container}/cpuacct.usage`, /^(\d+)/) ?? [];
  if (version1 !== undefined) return Number(version1);
  const [, version2] = attempt(`/sys/fs/cgroup/system.slice/docker-${container}.scope/cpu.stat`, /^usage_usec (\d+)/m) ?? [];
  if (version2 === undefined) throw new Error('the kernel’s accounts of a container are not to be found here');
  return Number(version2) * 1000;
}

function attempt(file: string, pattern: RegExp): RegExpExecArray | undefined {
  try {
    return pattern.exec(readFileSync(file, 'utf8')) ?? undefined;
  } catch {
    return undefined;
  }
}

/**
 * Two HAProxy, in networks as those of core and data path, before the same instance: nothing but how connections are kept, the
 * client's address passed on, and tries.
 */
async function startBareHops(ground: Ground, world: World): Promise<string[]> {
  const all = await containersOf(world.name);
  const of = (role: string) => all.find(({ Labels, State }) => State === 'running' && Labels['dev.changeless.role'] === role);
  const [proxy, service] = [of('path'), of('service')];
  if (!proxy || !service) throw new Error('the app does not run');
  const sandbox = String((await inspect(service.Id)).HostConfig['NetworkMode']).replace(/^container:/, '');
  const networks = await networksOf(world.name);
  const named = (part: string): string => networks.find(({ Name }) => Name.endsWith(part))?.Id ?? '';
  const second = await startHop(ground, {
    world,
    image: proxy.ImageID,
    network: named('core'),
    config: secondHop(await addressOf(sandbox)),
  });
  const address = await addressOf(second);
  await call('POST', `/networks/${named(appNames(1)[0] ?? '')}/connect`, { json: { Container: second } });
  const first = await startHop(ground, {
    world,
    image: proxy.ImageID,
    network: 'bridge',
    config: firstHop(address),
    publish: BARE_PORT,
  });
  await call('POST', `/networks/${named('core')}/connect`, { json: { Container: first } });
  return [first, second];
}

type Hop = { world: World; image: string; network: string; config: string; publish?: number };

async function startHop(ground: Ground, { world, image, network, config, publish }: Hop): Promise<string> {
  const container = await create(`${world.name}.bare.${publish === undefined ? 'second' : 'first'}`, {
    Image: image,
    Entrypoint: ['sh', '-c', 'printf "%s" "$CONFIGURATION" > /tmp/bare.cfg && exec haproxy -db -f /tmp/bare.cfg'],
    Cmd: [],
    // The image says whose it is, and whoever keeps that true would take this away.
    Labels: { 'dev.changeless.architecture': '' },
    Env: [`CONFIGURATION=${config}`],
    ExposedPorts: { '8080/tcp': {} },
    HostConfig: {
      NetworkMode: network,
      ...(publish !== undefined && { PortBindings: { '8080/tcp': [{ HostIp: '127.0.0.1', HostPort: String(publish) }] } }),
    },
  });
  ground.onCleanUp(() => call('DELETE', `/containers/${container}?force=1`).then(() => undefined));
  await call('POST', `/containers/${container}/start`);
  return container;
}

const plain = `global
    nbthread 1
defaults
    mode http
    option idle-close-on-response
    option redispatch 1
    timeout connect 500ms
    timeout queue 5s
    timeout http-request 10s
    timeout http-keep-alive 30s
    timeout client 60s
    timeout server 60s
    retry-on conn-failure empty-response
    retries 4
`;

const firstHop = (next: string): string => `${plain}    option http-server-close
frontend core
    bind :8080
    default_backend path
backend path
    server path ${next}:8080 send-proxy-v2
`;

const secondHop = (instance: string): string => `${plain}frontend path
    bind :8080 accept-proxy
    default_backend instance
backend instance
    server instance ${instance}:8080
`;
