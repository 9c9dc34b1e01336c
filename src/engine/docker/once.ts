import { labels } from '../labels.ts';
import type { OnceRequest, OnceResult, TreeFile } from '../image.ts';
import type { DockerClient } from './client.ts';
import { createContainer, putArchive, removeContainer, signalContainer, startContainer } from './containers.ts';
import { hasStatus } from './failure.ts';
import { readOutput } from './logs.ts';
import { firstEntry, treeTar } from './tar.ts';
import { hardenedHost, neverStarted } from './creation.ts';
import type { Creation } from './vendor.ts';

const MOST_LINKS = 10;

/** Runs a container to its end, or kills it at the limit; gives what it said; removes it whatever happens. */
export async function runOnce(client: DockerClient, request: OnceRequest): Promise<OnceResult> {
  const container = await createContainer(client, '', onceCreation(request));
  try {
    for (const [folder, files] of copiesOf(request)) {
      await putArchive(client, container, { folder, archive: await treeTar(files) });
    }
    return await runToEnd(client, container, request);
  } finally {
    await removeContainer(client, container);
  }
}

/** Starts a container that is there and waits for its end, or kills it at the limit; gives what it said, and leaves it. */
export async function runToEnd(client: DockerClient, container: string, bounds: Bounds): Promise<OnceResult> {
  bounds.signal?.throwIfAborted();
  await startContainer(client, container);
  const { exitCode, timedOut } = await ended(client, container, bounds);
  bounds.signal?.throwIfAborted();
  return { exitCode, timedOut, ...(await readOutput(client, container)) };
}

export function onceCreation(request: OnceRequest): Creation {
  const { command, network, volumes = [], memory = [], environment = {} } = request;
  const { LogConfig: _, ...hardened } = hardenedHost();
  return {
    Image: request.image,
    Labels: { ...request.labels, [labels.role]: 'once' },
    ...(command && { Entrypoint: command.slice(0, 1), Cmd: command.slice(1) }),
    Env: Object.entries(environment).map(([name, value]) => `${name}=${value}`),
    HostConfig: {
      ...hardened,
      // Read whole afterwards: nothing may be rotated away.
      LogConfig: { Type: 'json-file', Config: {} },
      ReadonlyRootfs: request.readOnly,
      // An image's tests may do what its RUN steps could.
      ...(!request.readOnly && { CapDrop: [] }),
      NetworkMode: network,
      Mounts: [
        ...volumes.map(({ volume, path, writable }) => ({ Type: 'volume' as const, Source: volume, Target: path, ReadOnly: !writable })),
        // The engine copies nothing into a read-only root, but into a volume, which goes with the container.
        ...(request.readOnly ? [...copiesOf(request).keys()] : []).map((Target) => ({ Type: 'volume' as const, Target })),
        ...memory.map((path) => ({ Type: 'tmpfs' as const, Target: path, TmpfsOptions: { SizeBytes: 64 * 2 ** 20, Mode: 0o1777 } })),
      ],
    },
  };
}

/**
 * The folders that files are copied into, with the files' paths inside them: `/`, or where that is read-only, of each
 * folder below `/` the deepest one that holds all files there.
 */
export function copiesOf({ files = [], readOnly }: Pick<OnceRequest, 'files' | 'readOnly'>): Map<string, TreeFile[]> {
  if (files.length === 0) return new Map();
  if (!readOnly) return new Map([['/', [...files]]]);
  const byTop = Map.groupBy(files, ({ path }) => partsOf(path)[0] ?? '');
  return new Map(
    [...byTop.values()].map((group) => {
      const folder = commonFolder(group.map(({ path }) => partsOf(path).slice(0, -1)));
      if (folder.length === 0) throw new Error(`a read-only container's files must lie in a folder: ${group[0]?.path}`);
      const inside = group.map((file) => ({ ...file, path: partsOf(file.path).slice(folder.length).join('/') }));
      return [`/${folder.join('/')}`, inside];
    }),
  );
}

const partsOf = (path: string): string[] => path.split('/').filter((part) => part !== '');

function commonFolder(folders: readonly string[][]): string[] {
  const [first = [], ...others] = folders;
  const differs = first.findIndex((part, index) => others.some((other) => other[index] !== part));
  return differs === -1 ? first : first.slice(0, differs);
}

/** One file of an image, through a container that never starts. Links are followed; undefined when there is no such file. */
export async function readFile(client: DockerClient, reference: string, path: string): Promise<Uint8Array | undefined> {
  const container = await createContainer(client, '', neverStarted(reference, {}));
  try {
    return await fileIn(client, container, path);
  } finally {
    await removeContainer(client, container);
  }
}

async function fileIn(client: DockerClient, container: string, path: string): Promise<Uint8Array | undefined> {
  let target = path;
  for (let links = 0; links < MOST_LINKS; links++) {
    const archive = await archiveOf(client, container, target);
    const entry = archive && (await firstEntry(archive));
    if (entry === undefined) return undefined;
    if ('contents' in entry) return entry.contents;
    target = new URL(entry.link, `file://${target}`).pathname;
  }
  return undefined;
}

async function archiveOf(client: DockerClient, container: string, path: string): Promise<Buffer | undefined> {
  try {
    return await client.bytes({ path: `/containers/${container}/archive`, query: { path } });
  } catch (error) {
    if (hasStatus(error, 404)) return undefined;
    throw error;
  }
}

type Bounds = Pick<OnceRequest, 'limitMs' | 'signal'>;

async function ended(
  client: DockerClient,
  container: string,
  { limitMs, signal }: Bounds,
): Promise<{ exitCode: number; timedOut: boolean }> {
  let timedOut = false;
  // Should the kill fail, the engine is gone, and then the wait below fails as well.
  const kill = (): void => void signalContainer(client, container, 'SIGKILL').catch(() => undefined);
  const limit = setTimeout(() => {
    timedOut = true;
    kill();
  }, limitMs);
  if (signal?.aborted) kill();
  signal?.addEventListener('abort', kill, { once: true });
  try {
    const { StatusCode } = await client.json<{ StatusCode: number }>({ method: 'POST', path: `/containers/${container}/wait`, long: true });
    return { exitCode: StatusCode, timedOut };
  } finally {
    clearTimeout(limit);
    signal?.removeEventListener('abort', kill);
  }
}
