import { labels } from '../labels.ts';
import type { DockerClient } from './client.ts';
import { EngineFailure, hasStatus } from './failure.ts';
import { engineName, nameOf, ofArchitecture } from './names.ts';
import type { Creation, InspectedContainer, ListedContainer } from './vendor.ts';

export const inspectContainer = (client: DockerClient, container: string): Promise<InspectedContainer | undefined> =>
  client.find<InspectedContainer>({ path: `/containers/${encodeURIComponent(container)}/json` });

/** All containers, running or not, that have these labels (`key` or `key=value`); all there are when none is given. */
export const listContainers = (client: DockerClient, withLabels: readonly string[] = []): Promise<ListedContainer[]> =>
  client.json<ListedContainer[]>({ path: '/containers/json', query: { all: 1, filters: { label: withLabels } } });

export async function createContainer(client: DockerClient, name: string, creation: Creation): Promise<string> {
  const { Id } = await client.json<{ Id: string }>({ method: 'POST', path: '/containers/create', query: { name }, json: creation });
  return Id;
}

/** Copies an archive into a folder of a container, which need not run. */
export const putArchive = (
  client: DockerClient,
  container: string,
  { folder, archive }: { folder: string; archive: Buffer },
): Promise<unknown> => client.bytes({ method: 'PUT', path: `/containers/${container}/archive`, query: { path: folder }, tar: archive });

/** Starts it; started already is fine. One that cannot start is removed, so that nothing half made is left. */
export async function startContainer(client: DockerClient, container: string): Promise<void> {
  try {
    await client.bytes({ method: 'POST', path: `/containers/${container}/start`, long: true });
  } catch (error) {
    if (error instanceof EngineFailure && error.status !== undefined) await removeContainer(client, container);
    throw error;
  }
}

/** Kills and removes it, with the anonymous volumes it came with. Resolves when it is gone. */
export async function removeContainer(client: DockerClient, container: string): Promise<void> {
  const path = `/containers/${encodeURIComponent(container)}`;
  const removed = await client.did({ method: 'DELETE', path, query: { force: true, v: true }, long: true }, 404, 409);
  // 409: someone else is removing it.
  if (!removed) await client.did({ method: 'POST', path: `${path}/wait`, query: { condition: 'removed' }, long: true }, 404);
}

/** Sends a signal; false when it does not run. */
export const signalContainer = (client: DockerClient, container: string, signal: string): Promise<boolean> =>
  client.did({ method: 'POST', path: `/containers/${container}/kill`, query: { signal } }, 404, 409);

/** Creates a container; one of that name that is in the way is first given to `settle`, which says whether it will do as it is. */
export async function createOrKeep(
  client: DockerClient,
  { name, creation }: { name: string; creation: Creation },
  settle: (existing: InspectedContainer) => boolean,
): Promise<{ container: string; kept: boolean }> {
  for (let tries = 0; ; tries++) {
    try {
      return { container: await createContainer(client, name, creation), kept: false };
    } catch (error) {
      if (!hasStatus(error, 409) || tries === 3) throw error;
    }
    const existing = await inspectContainer(client, name);
    if (existing && settle(existing)) return { container: existing.Id, kept: true };
    if (existing) await removeContainer(client, existing.Id);
  }
}

/** A container of the architecture by its name there; those run by hand from our images are found by the engine's name. */
export async function findContainer(client: DockerClient, architecture: string, name: string): Promise<InspectedContainer | undefined> {
  const direct = await inspectContainer(client, engineName(architecture, name));
  if (direct?.Config.Labels?.[labels.architecture] === architecture) return direct;
  const all = await listContainers(client, [ofArchitecture(architecture)]);
  const found = all.find(
    (each) => each.Labels?.[labels.role] !== 'once' && nameOf(architecture, each.Labels ?? {}, each.Names[0] ?? '') === name,
  );
  return found && inspectContainer(client, found.Id);
}
