import type { BodyId } from '../../digest.ts';
import type { ObservedVolume, VolumeCopy, VolumeSpec, VolumeUpgrade } from '../engine.ts';
import type { OnceResult } from '../image.ts';
import { labels } from '../labels.ts';
import type { DockerClient } from './client.ts';
import { createContainer, removeContainer } from './containers.ts';
import { meaningOfText, Refusal } from './failure.ts';
import { isOfJobs } from './job-names.ts';
import { engineName, nameOf, ofArchitecture, ownerLabels, ownerOf } from './names.ts';
import { onceCreation, runToEnd } from './once.ts';
import type { Creation, VendorVolume } from './vendor.ts';

/** A copy of any size ends before this. */
const MOST_COPY_MS = 24 * 60 * 60 * 1000;

const UNFINISHED = 'unfinished';

/** What has to be allowed so that owners and modes are as they were. */
const COPYING = ['CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'FSETID'];

/** Where the file system can (XFS, Btrfs), a reflink copies no data until one of the two is written to. */
const COPY = 'set -e; find /to -mindepth 1 -delete; cp -a --reflink=auto /from/. /to/; sync -f /to';

export async function listVolumes(client: DockerClient, architecture: string): Promise<VendorVolume[]> {
  const query = { filters: { label: [ofArchitecture(architecture)] } };
  const { Volumes } = await client.json<{ Volumes: VendorVolume[] | null }>({ path: '/volumes', query });
  return Volumes ?? [];
}

export const volumeLabels = (architecture: string, { name, owner }: VolumeSpec): Readonly<Record<string, string>> => ({
  ...ownerLabels(architecture, owner),
  [labels.name]: name,
});

/** What slots and secrets have is memory. */
export const isMemory = ({ Labels }: VendorVolume): boolean => ['sandbox', 'once'].includes(Labels?.[labels.role] ?? '');

/** Notes are about data, and no data either; what jobs have can be made again. */
export const isKept = (volume: VendorVolume): boolean =>
  !isMemory(volume) && volume.Labels?.[labels.note] === undefined && !isOfJobs(volume.Labels);

/** 500: `volume has active mounts`, which 20.10 miscounts after a live restore. Such a one is empty, and will be tried again. */
export const removeMemoryVolumes = (client: DockerClient, volumes: readonly VendorVolume[]): Promise<unknown> =>
  Promise.all(volumes.map(({ Name }) => client.did({ method: 'DELETE', path: `/volumes/${Name}` }, 404, 409, 500)));

/** Kept volumes, each with what was noted of it. */
export function observedVolumes(architecture: string, volumes: readonly VendorVolume[]): ObservedVolume[] {
  const notes = Map.groupBy(volumes.filter(isNote), ({ Labels }) => Labels?.[labels.name] ?? '');
  return volumes.filter(isKept).map(({ Labels, Name }) => {
    const name = nameOf(architecture, Labels ?? {}, Name);
    const noted = (notes.get(name) ?? []).map((note) => note.Labels?.[labels.note] ?? '').toSorted();
    const bodies = noted.filter((note) => note !== UNFINISHED) as BodyId[];
    return {
      name,
      owner: ownerOf(Labels ?? {}),
      ...(bodies.length > 0 && { bodies }),
      ...(noted.includes(UNFINISHED) && { unfinished: true as const }),
    };
  });
}

const isNote = ({ Labels }: VendorVolume): boolean => Labels?.[labels.note] !== undefined;

/** Docker makes a volume once; asking again changes nothing. */
export async function ensureVolume(client: DockerClient, architecture: string, spec: VolumeSpec): Promise<void> {
  await createVolume(client, engineName(architecture, spec.name), volumeLabels(architecture, spec));
}

async function createVolume(client: DockerClient, Name: string, Labels: Readonly<Record<string, string>>): Promise<void> {
  await client.bytes({ method: 'POST', path: '/volumes/create', json: { Name, Driver: 'local', Labels } });
}

/** Removes the volume and then its notes: a half copy must not look whole in between. */
export async function removeVolume(client: DockerClient, architecture: string, name: string): Promise<void> {
  await removeContainer(client, copierName(architecture, name));
  await deleteVolume(client, engineName(architecture, name));
  const notes = await notesOf(client, architecture, name);
  await Promise.all(notes.map(({ Name }) => deleteVolume(client, Name)));
}

const deleteVolume = (client: DockerClient, name: string): Promise<boolean> =>
  client.did({ method: 'DELETE', path: `/volumes/${encodeURIComponent(name)}` }, 404);

/** Copies in a container named for the volume it fills, so that whoever copies next ends one that a killed controller left. */
export async function copyVolume(client: DockerClient, architecture: string, copy: VolumeCopy): Promise<void> {
  const { from, to, image, upgrade } = copy;
  const name = copierName(architecture, to.name);
  await removeContainer(client, name);
  await makeNote(client, architecture, { volume: to, note: UNFINISHED });
  await ensureVolume(client, architecture, to);
  const copied = await runNamed(client, name, copierCreation(architecture, { from, to, image }));
  if (copied.exitCode !== 0) throw new Refusal(notCopied(from, to.name, copied.stderr.trim()));
  if (upgrade) {
    const upgraded = await runNamed(client, name, upgraderCreation(architecture, to, upgrade));
    if (upgraded.exitCode !== 0) throw new Refusal(notUpgraded(to, upgrade, upgraded));
  }
  await deleteVolume(client, noteName(architecture, to.name, UNFINISHED));
}

async function runNamed(client: DockerClient, name: string, creation: Creation): Promise<OnceResult> {
  const container = await createContainer(client, name, creation);
  try {
    return await runToEnd(client, container, { limitMs: MOST_COPY_MS });
  } finally {
    await removeContainer(client, container);
  }
}

/** As the server would run, but with no network. */
const upgraderCreation = (architecture: string, to: VolumeSpec, { image, command, path }: VolumeUpgrade): Creation =>
  onceCreation({
    image,
    command,
    limitMs: MOST_COPY_MS,
    network: 'none',
    readOnly: true,
    volumes: [{ volume: engineName(architecture, to.name), path, writable: true }],
    memory: ['/tmp'],
    labels: ownerLabels(architecture, to.owner),
  });

function notUpgraded(to: VolumeSpec, { command }: VolumeUpgrade, { exitCode, stdout, stderr }: OnceResult): Refusal['problem'] {
  return {
    code: 'UPGRADE_FAILED',
    what: `the upgrade of ${to.owner.name} failed on a copy of its data`,
    why: `${command.join(' ')} ended with exit code ${exitCode}`,
    lines: `${stdout}${stderr}`.trimEnd().split('\n').slice(-20),
  };
}

/** The new note first: killed in between, two are noted, and both were told to be let in. */
export async function noteBody(client: DockerClient, architecture: string, { volume, body }: { volume: VolumeSpec; body: BodyId }) {
  await makeNote(client, architecture, { volume, note: body });
  const notes = await notesOf(client, architecture, volume.name);
  const others = notes.filter(({ Labels }) => ![body, UNFINISHED].includes(Labels?.[labels.note] ?? ''));
  await Promise.all(others.map(({ Name }) => deleteVolume(client, Name)));
}

/** Docker changes no label of a volume that is there. So what is learnt of one is an empty volume beside it. */
async function makeNote(client: DockerClient, architecture: string, { volume, note }: { volume: VolumeSpec; note: string }): Promise<void> {
  await createVolume(client, noteName(architecture, volume.name, note), { ...volumeLabels(architecture, volume), [labels.note]: note });
}

async function notesOf(client: DockerClient, architecture: string, volume: string): Promise<VendorVolume[]> {
  const volumes = await listVolumes(client, architecture);
  return volumes.filter((each) => isNote(each) && each.Labels?.[labels.name] === volume);
}

const noteName = (architecture: string, volume: string, note: string): string =>
  `${engineName(architecture, volume)}.note.${note.slice(0, 16)}`;

const copierName = (architecture: string, volume: string): string => `${engineName(architecture, volume)}.copier`;

/** Root, for it alone may give files to others; with no network, and nothing to write to but the copy. */
export function copierCreation(architecture: string, { from, to, image }: VolumeCopy): Creation {
  const creation = onceCreation({
    image,
    command: ['sh', '-c', COPY],
    limitMs: MOST_COPY_MS,
    network: 'none',
    readOnly: true,
    volumes: [
      { volume: engineName(architecture, from), path: '/from', writable: false },
      { volume: engineName(architecture, to.name), path: '/to', writable: true },
    ],
    labels: ownerLabels(architecture, to.owner),
  });
  const { Mounts = [], ...host } = creation.HostConfig;
  const mounts = (Mounts ?? []).map((mount) => ({ ...mount, VolumeOptions: { NoCopy: true } }));
  return { ...creation, User: '0', HostConfig: { ...host, Mounts: mounts, CapAdd: [...COPYING] } };
}

function notCopied(from: string, to: string, said: string): Refusal['problem'] {
  const lines = said.split('\n').slice(-5);
  if (meaningOfText(said) === 'no-space')
    return { code: 'NO_SPACE', what: `the engine has no space for a copy of ${from}`, why: lines.at(-1) ?? '', next: 'docker system df' };
  return { code: 'ENGINE_REFUSED', what: `volume ${from} could not be copied to ${to}`, lines };
}
