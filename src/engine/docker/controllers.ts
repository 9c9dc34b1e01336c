import { digestOf } from '../../digest.ts';
import { inboxFolder, inboxVolume, ledgerFolder, ledgerVolume } from '../../kept-volumes.ts';
import type { ControllerSpec } from '../engine.ts';
import { labels } from '../labels.ts';
import { defaultSocket } from './address.ts';
import type { DockerClient } from './client.ts';
import { createOrKeep, findContainer, removeContainer, startContainer } from './containers.ts';
import { hardenedHost, sealed } from './creation.ts';
import { identityMount, isIdentityKept } from './identity.ts';
import { definedLabels, engineName } from './names.ts';
import type { Creation, Labels, VendorMount } from './vendor.ts';
import { volumeLabels } from './volumes.ts';

const CONTROLLER_MEMORY_MB = 256;
const ledger = { name: ledgerVolume, owner: { kind: 'controller', name: 'controller' } } as const;
const inbox = { name: inboxVolume, owner: { kind: 'app', name: 'gateway' } } as const;

/**
 * The socket on the engine's own host. Of an engine reached by tcp it is where Docker puts it: the controller runs
 * beside the engine, not where this process runs.
 */
export const controllerSocket = (client: DockerClient): string =>
  'socketPath' in client.address ? client.address.socketPath : defaultSocket;

/** The only container that the engine restarts, and the only one with the engine's socket. */
export function controllerCreation(architecture: string, spec: ControllerSpec, mounts: readonly VendorMount[]): Creation {
  const memory = CONTROLLER_MEMORY_MB * 2 ** 20;
  const creation: Creation = {
    Image: spec.image,
    Labels: definedLabels({
      [labels.architecture]: architecture,
      [labels.environment]: spec.environment,
      [labels.release]: spec.release,
      [labels.commit]: spec.commit,
      [labels.role]: 'controller',
      ...ownLabels(spec),
    }),
    HostConfig: {
      ...hardenedHost(),
      NetworkMode: 'host',
      // Not `unless-stopped`: an engine that restarts without live-restore takes what it ends itself for stopped by hand.
      RestartPolicy: { Name: 'always' },
      Memory: memory,
      MemorySwap: memory,
      Mounts: [...mounts],
    },
  };
  return sealed(creation, digestOf(spec));
}

/** What a person types on a machine that has nothing but the images. The image itself carries the other labels. */
export function controllerCommand(
  architecture: string,
  { spec, socket }: { spec: ControllerSpec; socket: string },
  imageTag: string,
): string {
  const fixed = `--network host --restart always --read-only --cap-drop ALL --security-opt no-new-privileges \
--memory ${CONTROLLER_MEMORY_MB}m --memory-swap ${CONTROLLER_MEMORY_MB}m --log-driver json-file --log-opt max-size=10m --log-opt max-file=2`;
  const own = [
    ...Object.entries(ownLabels(spec)).flatMap(([name, value]) => ['--label', `${name}=${value}`]),
    ...controllerMounts(architecture, socket, spec).flatMap((mount) => ['--mount', mountWords(mount)]),
    imageTag,
  ];
  return ['docker run -d --name', shellWord(engineName(architecture, spec.name)), fixed, ...own.map(shellWord)].join(' ');
}

/** Starts it and gives its container id. One of that name that runs is left alone. */
export async function startController(client: DockerClient, architecture: string, spec: ControllerSpec): Promise<string> {
  // Also where the release has no secrets: an app that is held back may still be as one with secrets says.
  const isKept = spec.opensSecrets === true || (await isIdentityKept(client, architecture));
  const creation = controllerCreation(
    architecture,
    spec,
    controllerMounts(architecture, controllerSocket(client), { ...spec, opensSecrets: isKept }),
  );
  const wanted = { name: engineName(architecture, spec.name), creation };
  const { container, kept } = await createOrKeep(client, wanted, ({ State }) => State.Running);
  if (!kept) await startContainer(client, container);
  return container;
}

export async function removeController(client: DockerClient, architecture: string, name: string): Promise<void> {
  const found = await findContainer(client, architecture, name);
  if (found === undefined) return;
  await client.did({ method: 'POST', path: `/containers/${found.Id}/stop`, long: true }, 404, 304);
  await removeContainer(client, found.Id);
}

const ownLabels = (spec: ControllerSpec): Labels => ({
  [labels.name]: spec.name,
  [labels.history]: spec.history.join(','),
  ...(spec.asked && { [labels.asked]: spec.asked }),
  ...(spec.waits && { [labels.waits]: 'yes' }),
  ...(spec.holds && { [labels.holds]: 'yes' }),
});

type MountedFor = Pick<ControllerSpec, 'opensSecrets' | 'takesInbox'>;

const controllerMounts = (architecture: string, socket: string, { opensSecrets, takesInbox }: MountedFor): VendorMount[] => [
  { Type: 'bind', Source: socket, Target: defaultSocket },
  // The labels are for when the volume does not exist yet.
  {
    Type: 'volume',
    Source: engineName(architecture, ledgerVolume),
    Target: ledgerFolder,
    VolumeOptions: { Labels: volumeLabels(architecture, ledger) },
  },
  ...(opensSecrets ? [identityMount(architecture)] : []),
  ...(takesInbox ? [inboxMount(architecture)] : []),
];

const inboxMount = (architecture: string): VendorMount => ({
  Type: 'volume',
  Source: engineName(architecture, inboxVolume),
  Target: inboxFolder,
  ReadOnly: true,
  VolumeOptions: { NoCopy: true, Labels: volumeLabels(architecture, inbox) },
});

function mountWords({ Type, Source, Target, ReadOnly, VolumeOptions }: VendorMount): string {
  const volumeWords = Object.entries(VolumeOptions?.Labels ?? {}).map(([name, value]) => `volume-label=${name}=${value}`);
  return [`type=${Type}`, `src=${Source ?? ''}`, `dst=${Target}`, ...(ReadOnly ? ['readonly'] : []), ...volumeWords].join(',');
}

const shellWord = (word: string): string => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`);
