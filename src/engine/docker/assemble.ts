import { canonicalJson, type Json } from '../../canonical-json.ts';
import { digestOfBytes, type ImageId } from '../../digest.ts';
import type { AssembleRequest, Assembly } from '../image.ts';
import { jsonLines, type DockerClient } from './client.ts';
import { EngineFailure } from './failure.ts';
import { tar, treeTar, type TarEntry } from './tar.ts';
import type { VendorImage } from './vendor.ts';

type Layer = { diffId: string; bytes: Buffer };
type Assembled = { id: ImageId; config: string; tag: string; layers: readonly string[]; own?: Layer };

const CREATED = '1970-01-01T00:00:00Z';
/** Parts of a base's configuration that reach the new image; see `configOf` for those that must not. */
const kept = ['User', 'WorkingDir', 'StopSignal', 'ExposedPorts', 'Shell'] as const;

/**
 * Images of a base's layers, one layer of files, and a configuration; loading carries the new layers only: the engine
 * reads no layer it already has. Ids depend on the requests alone.
 */
export async function prepare(client: DockerClient, requests: readonly AssembleRequest[]): Promise<Assembly> {
  const images = await imagesOf(client, requests);
  const loaded: Assembled[] = [];
  return {
    ids: images.map(({ id }) => id),
    async load() {
      const missing = await missingOf(client, images);
      loaded.push(...missing);
      await load(client, missing, () => null);
    },
    async name() {
      await Promise.all(images.map(({ id, tag }) => tagImage(client, id, tag)));
    },
    async discard() {
      await Promise.all(loaded.map(({ id }) => removeUnnamed(client, id)));
    },
  };
}

/** Prepared, loaded and named in one call. */
export async function assemble(client: DockerClient, requests: readonly AssembleRequest[]): Promise<ImageId[]> {
  const images = await imagesOf(client, requests);
  const missing = await missingOf(client, images);
  await Promise.all(images.filter((image) => !missing.includes(image)).map(({ id, tag }) => tagImage(client, id, tag)));
  await load(client, missing, ({ tag }) => [tag]);
  return images.map(({ id }) => id);
}

async function imagesOf(client: DockerClient, requests: readonly AssembleRequest[]): Promise<Assembled[]> {
  const bases = new Map<string, Promise<VendorImage>>();
  const baseOf = (id: string): Promise<VendorImage> => {
    const base = bases.get(id) ?? client.json<VendorImage>({ path: `/images/${id}/json` });
    bases.set(id, base);
    return base;
  };
  return await Promise.all(requests.map(async (request) => assembled(await baseOf(request.base), request)));
}

async function missingOf(client: DockerClient, images: readonly Assembled[]): Promise<Assembled[]> {
  const there = await Promise.all(images.map(({ id }) => client.did({ path: `/images/${id}/json` }, 404)));
  return images.filter((_, index) => !there[index]);
}

async function removeUnnamed(client: DockerClient, id: string): Promise<void> {
  const image = await client.find<VendorImage>({ path: `/images/${id}/json` });
  if (image && !image.RepoTags?.length) await client.did({ method: 'DELETE', path: `/images/${id}` }, 404, 409);
}

export async function tagImage(client: DockerClient, id: string, tag: string): Promise<void> {
  const [, repo, version] = /^(.*?)(?::([^/:]+))?$/.exec(tag) ?? [];
  await client.bytes({ method: 'POST', path: `/images/${id}/tag`, query: { repo, tag: version ?? 'latest' } });
}

/** The whole image as values; pure. */
export async function assembled(base: VendorImage, request: AssembleRequest): Promise<Assembled> {
  const below = base.RootFS.Layers ?? [];
  const bytes = request.files.length === 0 ? undefined : await treeTar(request.files);
  const own = bytes && { diffId: `sha256:${digestOfBytes(bytes)}`, bytes };
  const layers = own ? [...below, own.diffId] : below;
  const config = canonicalJson({
    architecture: base.Architecture,
    ...(base.Variant && { variant: base.Variant }),
    os: base.Os,
    created: CREATED,
    config: configOf(base, request.change),
    history: [
      ...below.map(() => ({ created: CREATED, created_by: `changeless: layer of ${base.Id}` })),
      { created: CREATED, created_by: 'changeless: settings', ...(own ? {} : { empty_layer: true }) },
    ],
    rootfs: { type: 'layers', diff_ids: layers },
  });
  return { id: `sha256:${digestOfBytes(config)}` as ImageId, config, tag: request.tag, layers, ...(own && { own }) };
}

/**
 * The base's configuration with the changes. Left out on purpose: `Healthcheck`, which would be an exec, and `Volumes`,
 * which would be a writable place that nobody declared.
 */
function configOf(base: VendorImage, change: AssembleRequest['change']): Json {
  const from = base.Config ?? {};
  const config: Record<string, Json | undefined> = {};
  for (const name of kept) {
    const value = from[name];
    if (value !== undefined && value !== null && value !== '') config[name] = value as Json;
  }
  return {
    ...config,
    Env: mergedEnvironment(from.Env ?? [], change.environment ?? {}),
    Entrypoint: change.entrypoint ?? from.Entrypoint ?? undefined,
    Cmd: change.command ?? from.Cmd ?? undefined,
    ...(change.user !== undefined && { User: change.user }),
    ...(change.workingFolder !== undefined && { WorkingDir: change.workingFolder }),
    ...(change.stopSignal !== undefined && { StopSignal: change.stopSignal }),
    Labels: { ...from.Labels, ...change.labels },
  };
}

/** The base's variables in their order, then the new ones sorted; a variable that is in both keeps the base's place. */
export function mergedEnvironment(base: readonly string[], change: Readonly<Record<string, string>>): string[] {
  const nameOfVariable = (entry: string): string => entry.split('=', 1)[0] ?? '';
  const names = new Set(base.map(nameOfVariable));
  const merged = base.map((entry) => {
    const value = change[nameOfVariable(entry)];
    return value === undefined ? entry : `${nameOfVariable(entry)}=${value}`;
  });
  const added = Object.keys(change)
    .filter((name) => !names.has(name))
    .toSorted();
  return [...merged, ...added.map((name) => `${name}=${change[name]}`)];
}

type Tags = (image: Assembled) => readonly string[] | null;

/** As `docker save` writes it, without the layers that the engine has. */
async function loadArchive(images: readonly Assembled[], tags: Tags): Promise<Buffer> {
  const pathOf = (diffId: string): string => `${diffId.slice('sha256:'.length)}/layer.tar`;
  const files = new Map<string, TarEntry>();
  for (const { id, config, own } of images) {
    const path = `${id.slice('sha256:'.length)}.json`;
    files.set(path, { path, mode: 0o644, contents: config });
    if (own) files.set(pathOf(own.diffId), { path: pathOf(own.diffId), mode: 0o644, contents: own.bytes });
  }
  const contents = JSON.stringify(
    images.map((image) => ({
      Config: `${image.id.slice('sha256:'.length)}.json`,
      RepoTags: tags(image),
      Layers: image.layers.map(pathOf),
    })),
  );
  return tar([...files.values(), { path: 'manifest.json', mode: 0o644, contents }]);
}

async function load(client: DockerClient, images: readonly Assembled[], tags: Tags): Promise<void> {
  if (images.length === 0) return;
  const archive = await loadArchive(images, tags);
  const call = { method: 'POST', path: '/images/load', query: { quiet: true }, tar: archive, long: true } as const;
  for await (const line of jsonLines<{ error?: string }>(await client.stream(call))) {
    if (line.error !== undefined) throw new EngineFailure(line.error, { status: 200 });
  }
}
