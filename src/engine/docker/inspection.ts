import type { InstanceDifference } from '../engine.ts';
import { labels } from '../labels.ts';
import type { DockerClient } from './client.ts';
import { listContainers } from './containers.ts';
import { creationDigest, creationFacts, sealOf, type CreationFacts } from './creation.ts';
import { hasSecrets } from './instance-secrets.ts';
import { isOfJobs } from './job-names.ts';
import { nameOf, ofArchitecture } from './names.ts';
import { endpointMark } from './slot-creation.ts';
import { ranThrough } from './slots.ts';
import type { InspectedContainer, ListedContainer, StartConfig, VendorImage } from './vendor.ts';

/** One changed path in a container's own layer. Kind 0: changed, 1: added, 2: deleted. */
type FileChange = { Path: string; Kind: 0 | 1 | 2 };
/** With the bytes of the files in its own layer, left out when there are none. */
type Sized = InspectedContainer & { SizeRw?: number };
type Images = Map<string, Promise<VendorImage | undefined>>;
type Found = Omit<InstanceDifference, 'container' | 'name'>;

const CHANGE_WORDS = ['changed', 'added', 'deleted'] as const;
const MOST_PATHS = 5;

/** Differences of every running container of the architecture from its image and from what the engine was asked for. */
export async function inspectInstances(client: DockerClient, architecture: string): Promise<InstanceDifference[]> {
  const listed = await listContainers(client, [ofArchitecture(architecture)]);
  const isInstance = ({ Labels }: ListedContainer): boolean => Labels?.[labels.role] !== 'once' && !isOfJobs(Labels);
  const running = listed.filter((each) => each.State !== 'created' && each.State !== 'exited' && isInstance(each));
  const images: Images = new Map();
  const found = await Promise.all(running.map(({ Id }) => inspectOne(client, Id, images)));
  return found.flatMap((one) => {
    if (one === undefined) return []; // It ended meanwhile.
    const { container, differences } = one;
    const name = nameOf(architecture, container.Config.Labels ?? {}, container.Name);
    return differences.map((difference) => ({ container: container.Id, name, ...difference }));
  });
}

async function inspectOne(
  client: DockerClient,
  id: string,
  images: Images,
): Promise<{ container: InspectedContainer; differences: Found[] } | undefined> {
  const container = await client.find<Sized>({ path: `/containers/${id}/json`, query: { size: true } });
  if (container === undefined || !container.State.Running) return undefined;
  const image = images.get(container.Image) ?? client.find<VendorImage>({ path: `/images/${container.Image}/json` });
  images.set(container.Image, image);
  const differences = [
    ...imageDifferences(container.Config, (await image)?.Config ?? undefined),
    ...specDifferences(container),
    ...fileDifferences(await changesOf(client, container), mountTargets(container)),
    ...slotDifferences(container),
    ...secretsDifferences(container),
  ];
  return { container, differences };
}

/**
 * Asks for the changes where there can be any: 20.10 compares the whole image file by file for it (0.3 s for Debian),
 * while the size of what was written costs a millisecond. Into a read-only root not even the engine copies; what this
 * does not see is a deletion made beneath the engine, in its own folders.
 */
async function changesOf(client: DockerClient, { Id, HostConfig, SizeRw }: Sized): Promise<FileChange[]> {
  if (HostConfig.ReadonlyRootfs && !SizeRw) return [];
  return (await client.find<FileChange[] | null>({ path: `/containers/${Id}/changes` })) ?? [];
}

/** Nothing but the image says what a container starts with. */
export function imageDifferences(container: StartConfig, image: StartConfig | undefined): Found[] {
  if (image === undefined) return [{ kind: 'image', what: 'its image is no longer on the engine' }];
  const parts = { environment: 'Env', command: 'Cmd', entrypoint: 'Entrypoint', user: 'User', 'working folder': 'WorkingDir' } as const;
  return Object.entries(parts)
    .filter(([, key]) => text(container[key]) !== text(image[key]))
    .map(([word]) => ({ kind: 'image' as const, what: `its ${word} is not its image's` }));
}

/** Whether it still is what the engine was asked for; limits are what can be changed while it runs. */
export function specDifferences({ Config, Image, HostConfig, State, ExecIDs }: InspectedContainer): Found[] {
  const touched: Found[] = State.Paused ? [{ kind: 'spec', what: 'it is paused' }] : [];
  if (ExecIDs?.length) touched.push({ kind: 'spec', what: 'a process that was started in it by exec is running' });
  const { creation } = sealOf(Config.Labels ?? {});
  const facts = creationFacts(Image, HostConfig);
  if (creation === undefined || creation === creationDigest(facts)) return touched;
  return [...touched, { kind: 'spec', what: `its limits, mounts or rights are not those it was made with; now ${nowText(facts)}` }];
}

/** What someone changed in its file system. Docker itself makes the folders that mounts are put on. */
export function fileDifferences(changes: readonly FileChange[], targets: readonly string[]): Found[] {
  const leadsToMount = (path: string): boolean => targets.some((target) => target === path || target.startsWith(`${path}/`));
  const inMount = (path: string): boolean => targets.some((target) => path.startsWith(`${target}/`));
  const strange = changes.filter(({ Path, Kind }) => !inMount(Path) && !(leadsToMount(Path) && Kind !== 2));
  // A changed folder is only the trace of what changed inside it.
  const leaves = strange.filter(({ Path, Kind }) => Kind !== 0 || !strange.some((other) => other.Path.startsWith(`${Path}/`)));
  if (leaves.length === 0) return [];
  const shown = leaves.slice(0, MOST_PATHS).map(({ Path, Kind }) => `${Path} was ${CHANGE_WORDS[Kind]}`);
  const rest = leaves.length > MOST_PATHS ? ` and ${leaves.length - MOST_PATHS} more` : '';
  return [{ kind: 'files', what: `${shown.join(', ')}${rest}` }];
}

/** A sandbox: whether it ran all the time, and is on the networks it was made with. */
export function slotDifferences(container: InspectedContainer): Found[] {
  if (container.Config.Labels?.[labels.role] !== 'sandbox') return [];
  const networks = Object.entries(container.NetworkSettings.Networks ?? {});
  const marks = networks.map(([name, { DriverOpts }]) => ({ name, mark: DriverOpts?.[endpointMark] }));
  const foreign = marks.filter(({ name, mark }) => mark === undefined && name !== 'none');
  const ours = marks.flatMap(({ mark }) => mark ?? []);
  const wanted = Number(ours[0]?.split(' of ')[1] ?? ours.length);
  const found = foreign.map(({ name }) => `it was connected to network ${name}`);
  if (ours.length < wanted) found.push(`it is on ${ours.length} of its ${wanted} networks`);
  if (!ranThrough(container)) found.push('it was stopped and started again, and its memory is lost');
  return found.map((what) => ({ kind: 'slot', what }));
}

/** Who is stopped and started again from outside finds its secrets gone. */
const secretsDifferences = (container: InspectedContainer): Found[] =>
  hasSecrets(container) && !ranThrough(container)
    ? [{ kind: 'spec', what: 'it was stopped and started again, and its secrets are lost' }]
    : [];

function mountTargets({ HostConfig, Mounts }: InspectedContainer): string[] {
  const targets = [...(HostConfig.Mounts ?? []).map(({ Target }) => Target), ...Mounts.map(({ Destination }) => Destination)];
  // In every image of a current distribution /var/run is a link to /run, and what is mounted there shows up here.
  return [...targets, ...targets.filter((target) => target.startsWith('/var/run/')).map((target) => target.slice('/var'.length))];
}

/** Docker says null, an empty list or nothing for the same. */
const text = (value: string | readonly string[] | null | undefined): string => JSON.stringify(value?.length ? value : '');

function nowText({ memoryBytes, processes, cpus, restart, readOnly, privileged }: CreationFacts): string {
  const parts = [`${memoryBytes} bytes of memory`, `${processes} processes`, `restart policy ${restart}`];
  if (cpus > 0) parts.push(`${cpus} CPUs`);
  if (!readOnly) parts.push('a writable root');
  if (privileged) parts.push('privileged');
  return parts.join(', ');
}
