import { askedOf } from '../../asked.ts';
import type { BodyId, GenerationId, ImageId, ReleaseId } from '../../digest.ts';
import type {
  Colour,
  InstanceRole,
  Observation,
  ObservedController,
  ObservedInstance,
  ObservedSlot,
  PathPhase,
  SecretReference,
} from '../engine.ts';
import { labels } from '../labels.ts';
import type { DockerClient } from './client.ts';
import { inspectContainer, listContainers } from './containers.ts';
import { sealOf } from './creation.ts';
import { originOf } from './instance-creation.ts';
import { isOfJobs, jobsNetwork } from './job-names.ts';
import { instanceRoles, memoryName, nameOf, ofArchitecture, ownerOf, type Role } from './names.ts';
import { listNetworks } from './networks.ts';
import type { Inspections } from './inspections.ts';
import type { PathPhases } from './paths.ts';
import { inOrder, observedRequest } from './requests.ts';
import { firstEndpoint } from './slot-creation.ts';
import { ranThrough } from './slots.ts';
import { isKept, listVolumes, observedVolumes } from './volumes.ts';
import { NEVER, type InspectedContainer, type Labels, type ListedContainer, type VendorNetwork, type VendorVolume } from './vendor.ts';

type Sources = { client: DockerClient; phases: PathPhases; inspections: Inspections };
type Listing = {
  architecture: string;
  own: InspectedContainer[];
  all: ListedContainer[];
  networks: VendorNetwork[];
  volumes: VendorVolume[];
};

/** One listing of each kind of thing, then an inspection of each of our containers and the last words of each path, all at once. */
export async function observe({ client, phases, inspections }: Sources, architecture: string): Promise<Observation> {
  const [all, allNetworks, volumes] = await Promise.all([
    listContainers(client),
    listNetworks(client, architecture),
    listVolumes(client, architecture),
  ]);
  const networks = allNetworks.filter(({ Labels }) => Labels?.[labels.name] !== jobsNetwork);
  const present = new Set(all.map(({ Id }) => Id));
  phases.keepOnly(present);
  inspections.keepOnly(present);
  const ours = all.filter((each) => labelsOf(each)[labels.architecture] === architecture && !isOfJobs(each.Labels));
  const paths = ours.filter((container) => labelsOf(container)[labels.role] === ('path' satisfies Role));
  const [inspected, ...said] = await Promise.all([
    Promise.all(ours.map((container) => inspections.of(container))),
    ...paths.map(async ({ Id }) => [Id, await phases.of(Id)] as const),
  ]);
  const own = inspected.filter((container) => container !== undefined); // The others went meanwhile.
  const listing = { architecture, own, all, networks, volumes };
  return {
    networks: networks.map(({ Labels, Name }) => named(architecture, { Labels, Name }, { spec: Labels?.[labels.spec] ?? '' })),
    volumes: observedVolumes(architecture, volumes),
    slots: observedSlots(listing),
    instances: observedInstances(listing, new Map(said)),
    controllers: own.filter(hasRole('controller')).map((container) => observedController(architecture, container)),
    requests: inOrder(own.filter(hasRole('request')).map(observedRequest)),
    strangers: observedStrangers(listing),
  };
}

export async function controllers(client: DockerClient, architecture: string): Promise<ObservedController[]> {
  const listed = await listContainers(client, [ofArchitecture(architecture), `${labels.role}=controller`]);
  const inspected = await Promise.all(listed.map(({ Id }) => inspectContainer(client, Id)));
  return inspected.filter((container) => container !== undefined).map((container) => observedController(architecture, container));
}

/** Names of the architectures that have containers, networks or volumes. */
export async function architectures(client: DockerClient): Promise<string[]> {
  const query = { filters: { label: [labels.architecture] } };
  const [containers, networks, { Volumes }] = await Promise.all([
    listContainers(client, [labels.architecture]),
    client.json<VendorNetwork[]>({ path: '/networks', query }),
    client.json<{ Volumes: VendorVolume[] | null }>({ path: '/volumes', query }),
  ]);
  const things: { Labels: Labels | null }[] = [
    ...containers.filter((each) => labelsOf(each)[labels.role] !== 'once'),
    ...networks,
    ...(Volumes ?? []).filter(isKept),
  ];
  const names = things.map((thing) => labelsOf(thing)[labels.architecture]).filter((name) => name !== undefined);
  return [...new Set(names)].toSorted();
}

function observedSlots({ architecture, own }: Listing): ObservedSlot[] {
  const names = new Set(own.map(({ Name }) => Name));
  return own.filter(hasRole('sandbox')).map((sandbox) => {
    const from = sandbox.Config.Labels ?? {};
    const name = from[labels.name] ?? '';
    const address = firstEndpoint(sandbox)?.IPAddress;
    return {
      name,
      owner: ownerOf(from),
      ...colourIn(from),
      ready: ranThrough(sandbox) && !names.has(`/${memoryName(architecture, name)}`),
      spec: sealOf(from).spec,
      container: sandbox.Id,
      ...(address && { address }),
    };
  });
}

function observedInstances({ architecture, own }: Listing, phases: ReadonlyMap<string, PathPhase>): ObservedInstance[] {
  const containers = own.filter(({ Config }) => instanceRoles.includes(Config.Labels?.[labels.role] ?? ''));
  return containers.map((container) => {
    const phase = phases.get(container.Id);
    return { ...observedInstance(architecture, container), ...(phase && { path: phase }) };
  });
}

function observedInstance(architecture: string, container: InspectedContainer): ObservedInstance {
  const from = container.Config.Labels ?? {};
  return {
    name: nameOf(architecture, from, container.Name),
    slot: from[labels.slot] ?? '',
    owner: ownerOf(from),
    role: from[labels.role] as InstanceRole,
    generation: (from[labels.generation] ?? '') as GenerationId,
    body: (from[labels.body] ?? '') as BodyId,
    ...colourIn(from),
    ...lifeOf(container),
    spec: sealOf(from).spec,
    ...(from[labels.drainSignal] && { drainSignal: from[labels.drainSignal] }),
    ...(from[labels.secrets] && { secrets: JSON.parse(from[labels.secrets] ?? '') as SecretReference[] }),
    origin: originOf(from),
  };
}

function observedController(architecture: string, container: InspectedContainer): ObservedController {
  const from = container.Config.Labels ?? {};
  const { environment, commit, release } = originOf(from);
  const { exitCode: _, endedAt: __, ...life } = lifeOf(container);
  const history = (from[labels.history] ?? '').split(',').filter((id) => id !== '') as ReleaseId[];
  const asked = askedOf(from[labels.asked]);
  const request = {
    ...(asked && { asked }),
    ...(from[labels.waits] === 'yes' && { waits: true }),
    ...(from[labels.holds] === 'yes' && { holds: true }),
  };
  return { name: nameOf(architecture, from, container.Name), ...life, environment, commit, release, history, ...request };
}

type Life = Pick<ObservedInstance, 'container' | 'image' | 'state' | 'createdAt' | 'startedAt' | 'endedAt' | 'exitCode'>;

function lifeOf({ Id, Image, Created, State }: InspectedContainer): Life {
  const state = State.Running ? 'running' : State.Status === 'created' ? 'created' : 'exited';
  return {
    container: Id,
    image: Image as ImageId,
    state,
    createdAt: Created,
    ...(State.StartedAt !== NEVER && { startedAt: State.StartedAt }),
    ...(state === 'exited' && { exitCode: State.ExitCode, endedAt: State.FinishedAt }),
  };
}

/** Containers of others on our networks, or inside our sandboxes. */
function observedStrangers({ architecture, own, all, networks }: Listing): Observation['strangers'] {
  const ids = new Set(own.map(({ Id }) => Id));
  const places = new Map(networks.map(({ Id, Labels, Name }) => [Id, `network ${nameOf(architecture, Labels ?? {}, Name)}`]));
  for (const { Id, Config } of own.filter(hasRole('sandbox'))) places.set(Id, `slot ${Config.Labels?.[labels.name] ?? ''}`);
  return all
    .filter(({ Id, ...each }) => !ids.has(Id) && labelsOf(each)[labels.architecture] !== architecture)
    .flatMap(({ Id, Names, HostConfig, NetworkSettings }) => {
      const joined = Object.values(NetworkSettings.Networks ?? {}).map(({ NetworkID }) => NetworkID);
      const where = [HostConfig.NetworkMode.replace(/^container:/, ''), ...joined]
        .map((id) => places.get(id))
        .find((place) => place !== undefined);
      return where === undefined ? [] : [{ container: Id, name: (Names[0] ?? Id).replace(/^\//, ''), where }];
    });
}

const labelsOf = ({ Labels }: { Labels: Labels | null }): Labels => Labels ?? {};

const hasRole =
  (role: Role) =>
  ({ Config }: InspectedContainer): boolean =>
    Config.Labels?.[labels.role] === role;

function named<Extra extends object>(architecture: string, { Labels, Name }: { Labels: Labels | null; Name: string }, extra: Extra) {
  return { name: nameOf(architecture, Labels ?? {}, Name), owner: ownerOf(Labels ?? {}), ...extra };
}

const colourIn = (from: Labels): { colour?: Colour } => {
  const colour = from[labels.colour];
  return colour === 'blue' || colour === 'green' ? { colour } : {};
};
