import { randomBytes } from 'node:crypto';
import { secretsPath } from '../../secrets-path.ts';
import type { InstanceSpec, SecretValues } from '../engine.ts';
import { labels } from '../labels.ts';
import type { DockerClient } from './client.ts';
import { createContainer, putArchive, removeContainer, startContainer } from './containers.ts';
import { hardenedHost } from './creation.ts';
import { Refusal } from './failure.ts';
import { ownerLabels, secretsName } from './names.ts';
import { readFile } from './once.ts';
import { tar } from './tar.ts';
import type { Creation, InspectedContainer, VendorImage, VendorMount } from './vendor.ts';
import { listVolumes, removeMemoryVolumes } from './volumes.ts';

/** A name of its own each time: what a former instance of the name had is empty, and may refuse to go for a while. */
export const newSecretsVolume = (architecture: string, instance: string): string =>
  `${secretsName(architecture, instance)}.${randomBytes(4).toString('hex')}`;

/** Made with the instance; holds something only while a container that mounts it runs. */
export const secretsMount = (architecture: string, { name, owner, slot }: InstanceSpec, volume: string): VendorMount => ({
  Type: 'volume',
  Source: volume,
  Target: secretsPath,
  ReadOnly: true,
  VolumeOptions: {
    NoCopy: true,
    DriverConfig: { Name: 'local', Options: { type: 'tmpfs', device: 'tmpfs', o: 'size=4m,uid=0,gid=0,mode=0755' } },
    Labels: { ...ownerLabels(architecture, owner), [labels.role]: 'once', [labels.slot]: slot, [labels.name]: name },
  },
});

export const hasSecrets = ({ HostConfig }: InspectedContainer): boolean =>
  HostConfig.Mounts?.some(({ Target }) => Target === secretsPath) ?? false;

type Member = { client: DockerClient; architecture: string; spec: InstanceSpec; sandbox: InspectedContainer; volume: string };

/**
 * Starts an instance that finds its secrets. Memory is there only while somebody who runs has it mounted: a container of no
 * other use holds it until the instance itself does.
 */
export async function startWithSecrets(member: Member, values: SecretValues, start: () => Promise<void>): Promise<void> {
  const { client, architecture, spec } = member;
  const archive = await secretsTar(client, spec, values);
  const filler = await createContainer(client, secretsName(architecture, spec.name), fillerCreation(member));
  try {
    await startContainer(client, filler);
    await putArchive(client, filler, { folder: secretsPath, archive });
    await start();
  } finally {
    await removeContainer(client, filler);
  }
}

/** In the sandbox's network, for that starts in a third of the time; it speaks to nobody. */
const fillerCreation = ({ architecture, spec, sandbox, volume }: Member): Creation => ({
  Image: sandbox.Image,
  Labels: { [labels.architecture]: architecture, [labels.role]: 'once', [labels.slot]: spec.slot },
  StopTimeout: 0,
  HostConfig: {
    ...hardenedHost(),
    NetworkMode: `container:${sandbox.Id}`,
    Mounts: [{ Type: 'volume', Source: volume, Target: secretsPath, VolumeOptions: { NoCopy: true } }],
  },
});

async function secretsTar(client: DockerClient, { name, image, secrets = [] }: InstanceSpec, values: SecretValues): Promise<Buffer> {
  const missing = secrets.find(({ file }) => values[file] === undefined);
  if (missing)
    throw new Refusal({ code: 'ENGINE_REFUSED', what: `${name} cannot start without the value of its secret ${missing.secret}` });
  const uid = await userOf(client, image);
  return tar(secrets.flatMap(({ file }) => ({ path: file, mode: 0o400, uid, contents: values[file]?.reveal() ?? '' })));
}

/** The number of the user an image runs as, who may be called by a name of the image's own. */
async function userOf(client: DockerClient, image: string): Promise<number> {
  const found = await client.find<VendorImage>({ path: `/images/${image}/json` });
  const [user = ''] = (found?.Config?.User ?? '').split(':');
  if (/^\d*$/.test(user)) return Number(user);
  const users = new TextDecoder().decode(await readFile(client, image, '/etc/passwd'));
  const entry = users.split('\n').find((line) => line.startsWith(`${user}:`));
  const uid = entry?.split(':')[2];
  if (uid === undefined) throw new Refusal({ code: 'ENGINE_REFUSED', what: `${image} runs as ${user}, who is not in its /etc/passwd` });
  return Number(uid);
}

export const removeFiller = (client: DockerClient, architecture: string, instance: string): Promise<void> =>
  removeContainer(client, secretsName(architecture, instance));

/** What is there of the secrets of former instances of that name. */
export async function removeSecrets(
  client: DockerClient,
  architecture: string,
  { instance, except }: { instance: string; except?: string },
): Promise<void> {
  await removeFiller(client, architecture, instance);
  const volumes = await listVolumes(client, architecture);
  const former = volumes.filter(
    ({ Name, Labels }) => Labels?.[labels.role] === 'once' && Labels[labels.name] === instance && Name !== except,
  );
  await removeMemoryVolumes(client, former);
}
