import { mapBounded } from '../src/bounded.ts';
import {
  ask,
  call,
  containersOf,
  create,
  inspect,
  type Inspected,
  logSays,
  networksOf,
  startIdleController,
  startLike,
} from './engine-calls.ts';

type Endpoint = { Aliases: string[] | null; DriverOpts: Record<string, string> | null; NetworkID: string };
type Container = Inspected & { NetworkSettings: { Networks: Record<string, Endpoint> } };
type Network = { Id: string; Name: string; Driver: string; Internal: boolean; Labels: object; Options: object; IPAM: object };

/** All that an architecture has on the engine while it is live, as it was made. */
export type Inventory = { networks: Network[]; sandboxes: Container[]; members: Container[]; controller: Container };

const ROLE = 'dev.changeless.role';
/** Apps are worked on side by side; more of them at once are no faster on two cores. */
const AT_ONCE = 8;

export async function inventoryOf(architecture: string): Promise<Inventory> {
  const listed = await networksOf(architecture);
  const networks = await Promise.all(listed.map(({ Id }) => ask<Network>(`/networks/${Id}`)));
  const running = (await containersOf(architecture)).filter(({ State }) => State === 'running');
  const containers = (await Promise.all(running.map(({ Id }) => inspect(Id)))) as Container[];
  const roleOf = ({ Config }: Container): string => Config.Labels[ROLE] ?? '';
  const controller = containers.find((each) => roleOf(each) === 'controller');
  if (!controller) throw new Error(`${architecture} has no controller`);
  return {
    networks,
    sandboxes: containers.filter((each) => roleOf(each) === 'sandbox'),
    members: containers.filter((each) => ['service', 'path'].includes(roleOf(each))),
    controller,
  };
}

/**
 * Makes all of it by bare calls on an engine that has nothing but the images: networks, then of each app its sandboxes and what
 * runs in them, and its path told to serve when it says that all is healthy. The controller is one that does nothing.
 */
export async function bareApps({ networks, sandboxes, members, controller }: Inventory): Promise<void> {
  await startIdleController(controller, controller.Name.slice(1));
  await mapBounded(networks, AT_ONCE, makeNetwork);
  const byUnit = Object.values(Object.groupBy(sandboxes, ({ Config }) => Config.Labels['dev.changeless.app'] ?? 'core'));
  await mapBounded(byUnit, AT_ONCE, async (unit = []) => {
    const places = new Map(await Promise.all(unit.map(async (sandbox) => [sandbox.Id, await makeSandbox(sandbox)] as const)));
    await Promise.all(
      members.map(async (member) => {
        const place = places.get(String(member.HostConfig['NetworkMode']).replace(/^container:/, ''));
        if (place !== undefined) await makeMember(member, place);
      }),
    );
  });
}

async function makeNetwork({ Name, Driver, Internal, Labels, Options, IPAM }: Network): Promise<void> {
  await call('POST', '/networks/create', { json: { Name, Driver, Internal, Labels, Options, IPAM } });
}

async function makeSandbox({ Name, Image, Config, HostConfig, NetworkSettings }: Container): Promise<string> {
  const endpoints = Object.entries(NetworkSettings.Networks);
  const first = String(HostConfig['NetworkMode']);
  const own = ({ Aliases, DriverOpts }: Endpoint) => ({ Aliases: Aliases ?? [], DriverOpts: DriverOpts ?? {} });
  const EndpointsConfig = Object.fromEntries(endpoints.filter(([name]) => name === first).map(([name, each]) => [name, own(each)]));
  const json = { Image, Labels: Config.Labels, HostConfig, NetworkingConfig: { EndpointsConfig } };
  const container = await create(Name.slice(1), json);
  for (const [name, endpoint] of endpoints)
    if (name !== first) await call('POST', `/networks/${name}/connect`, { json: { Container: container, EndpointConfig: own(endpoint) } });
  await call('POST', `/containers/${container}/start`);
  return container;
}

async function makeMember(member: Container, place: string): Promise<void> {
  const container = await startLike(
    { ...member, HostConfig: { ...member.HostConfig, NetworkMode: `container:${place}` } },
    member.Name.slice(1),
  );
  if (member.Config.Labels[ROLE] !== 'path') return;
  await logSays(container, '"healthy"');
  await call('POST', `/containers/${container}/kill?signal=SIGUSR2`);
  await logSays(container, '"serving"');
}
