import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import { byCodeUnit, type Json } from '../../canonical-json.ts';
import { digestOf, digestOfBytes, type ImageId } from '../../digest.ts';
import { done, failed, type Result } from '../../result.ts';
import type {
  AssembleRequest,
  Assembly,
  BuildFailure,
  BuildProgress,
  BuildRequest,
  ImageConfig,
  ImageDetail,
  Images,
  ListedImage,
  OnceRequest,
  OnceResult,
  LayerItem,
} from '../image.ts';
import type { Machine } from './machine.ts';

export type AddedImage = { tag: string; files?: readonly LayerItem[]; labels?: Readonly<Record<string, string>> };

type Contents = Omit<ImageDetail, 'tags' | 'createdAt' | 'id' | 'labels' | 'sizeBytes'>;
/** A link holds where it points. */
type StoredFile = Uint8Array | { target: string };
type StoredImage = { id: ImageId; contents: Contents; files: ReadonlyMap<string, StoredFile>; tags: Set<string>; createdAt: string };

/** An image that may not be stored yet. */
type Made = { config: ImageConfig; layers: readonly string[]; files: readonly LayerItem[]; below?: ReadonlyMap<string, StoredFile> };

const plainConfig: ImageConfig = {
  environment: [],
  entrypoint: ['/bin/start'],
  command: [],
  workingFolder: '/',
  user: '',
  labels: {},
  stopSignal: 'SIGTERM',
};

const idOf = ({ config, layers }: Made): ImageId => `sha256:${digestOf({ config: config as Json, layers: [...layers] })}` as ImageId;

const absolute = (path: string): string => `/${path.replace(/^\/+/, '')}`;
const bytesOf = (contents: string | Uint8Array): Uint8Array =>
  typeof contents === 'string' ? new TextEncoder().encode(contents) : contents;
const withVersion = (tag: string): string => (/:[^/]*$/.test(tag) ? tag : `${tag}:latest`);

function layerOf(items: readonly LayerItem[]): string[] {
  if (items.length === 0) return [];
  const byPath = new Map(items.map((item) => [absolute(item.path), item]));
  const entries = [...byPath].map(([path, item]) => ({ path, owner: item.owner, ...ownPart(item) }));
  return [`sha256:${digestOf(entries.toSorted((one, other) => byCodeUnit(one.path, other.path)))}`];
}

function ownPart(item: LayerItem): Readonly<Record<string, Json>> {
  if ('folder' in item) return { folder: true };
  return 'target' in item ? { target: item.target } : { contents: digestOfBytes(bytesOf(item.contents)), mode: item.mode ?? 0o644 };
}

function storedOf(items: readonly LayerItem[]): [string, StoredFile][] {
  return items.flatMap((item): [string, StoredFile][] => {
    if ('folder' in item) return [];
    return [[absolute(item.path), 'target' in item ? { target: item.target } : bytesOf(item.contents)]];
  });
}

function merged(environment: readonly string[], change: Readonly<Record<string, string>> = {}): string[] {
  const variables = new Map(
    environment.map((line): [string, string] => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
  for (const [name, value] of Object.entries(change)) variables.set(name, value);
  return [...variables].map(([name, value]) => `${name}=${value}`);
}

/** Images by the digest of what they were made from. They share nothing with a disk and survive the engine's restart. */
export class MemoryImages implements Images {
  readonly #images = new Map<ImageId, StoredImage>();
  readonly #machine: Machine;
  /** Makes a build fail. */
  onBuild: ((request: BuildRequest) => BuildFailure | undefined | Promise<BuildFailure | undefined>) | undefined;
  /** What runs in containers that run once; exit code 0 and no output without it. */
  onRunOnce: ((request: OnceRequest) => Partial<OnceResult> | Promise<Partial<OnceResult>>) | undefined;

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  has(id: string): boolean {
    return this.#find(id) !== undefined;
  }

  /** Puts an image here as a pull would. */
  add({ tag, files = [], labels = {} }: AddedImage): ImageId {
    const layers = files.length === 0 ? [`sha256:${digestOf(['layer', tag])}`] : layerOf(files);
    return this.#store({ config: { ...plainConfig, labels }, layers, files }, tag);
  }

  async list(filter: { reference?: string; labels?: Readonly<Record<string, string>> }): Promise<ListedImage[]> {
    const wanted = Object.entries(filter.labels ?? {});
    const details = [...this.#images.values()].map(detailOf);
    const matches = details.filter(
      (image) => wanted.every(([name, value]) => image.labels[name] === value) && hasReference(image, filter.reference),
    );
    return matches.map(({ id, tags, labels, sizeBytes, createdAt }) => ({ id, tags, labels, sizeBytes, createdAt }));
  }

  async inspect(reference: string): Promise<ImageDetail | undefined> {
    const image = this.#find(reference);
    return image && detailOf(image);
  }

  async pull(reference: string, _limitMs: number): Promise<Result<ImageDetail>> {
    const image = this.#find(reference);
    if (image) return done(detailOf(image));
    return failed({ code: 'BASE_UNAVAILABLE', what: `${reference} is not to be had`, why: 'the memory engine has no registry' });
  }

  async build(request: BuildRequest, onProgress: (progress: BuildProgress) => void): Promise<Result<ImageId, BuildFailure>> {
    const context = createHash('sha256');
    if (request.context instanceof Uint8Array) context.update(request.context);
    else for await (const chunk of request.context) context.update(chunk);
    const step = `build ${request.dockerfile}`;
    onProgress({ step, state: 'started' });
    request.signal?.throwIfAborted();
    const failure = await this.onBuild?.(request);
    request.signal?.throwIfAborted();
    onProgress({ step, state: failure ? 'failed' : 'done' });
    if (failure) return failed(failure);
    const inputs = { context: context.digest('hex'), dockerfile: request.dockerfile, target: request.target, arguments: request.arguments };
    return done(
      this.#store({ config: { ...plainConfig, labels: request.labels }, layers: [`sha256:${digestOf(inputs)}`], files: [] }, request.tag),
    );
  }

  async prepare(requests: readonly AssembleRequest[]): Promise<Assembly> {
    const made = requests.map((request) => this.#made(request));
    const ids = made.map(idOf);
    const loaded: ImageId[] = [];
    return {
      ids,
      load: async () => {
        for (const image of made) {
          if (!this.has(idOf(image))) loaded.push(idOf(image));
          this.#store(image);
        }
      },
      name: async () => {
        for (const [index, { tag }] of requests.entries()) await this.tag(ids[index] as ImageId, tag);
      },
      discard: async () => {
        for (const id of loaded) if (this.#find(id)?.tags.size === 0) await this.remove(id);
      },
    };
  }

  async assemble(requests: readonly AssembleRequest[]): Promise<ImageId[]> {
    return requests.map((request) => this.#store(this.#made(request), request.tag));
  }

  async tag(id: ImageId, tag: string): Promise<void> {
    const image = this.#find(id);
    if (!image) throw new Error(`no image ${id}`);
    for (const other of this.#images.values()) other.tags.delete(withVersion(tag));
    image.tags.add(withVersion(tag));
  }

  async remove(reference: string): Promise<boolean> {
    const image = this.#find(reference);
    if (!image) return true;
    if (reference !== image.id && image.tags.size > 1) return image.tags.delete(withVersion(reference));
    if (this.#isUsed(image.id)) return false;
    return this.#images.delete(image.id);
  }

  async readFile(reference: string, path: string): Promise<Uint8Array | undefined> {
    const files = this.#find(reference)?.files;
    return files && followed(files, absolute(path));
  }

  async runOnce(request: OnceRequest): Promise<OnceResult> {
    if (!this.has(request.image)) throw new Error(`no image ${request.image}`);
    const result = { exitCode: 0, stdout: '', stderr: '', timedOut: false, ...(await this.onRunOnce?.(request)) };
    request.signal?.throwIfAborted();
    return result;
  }

  #made({ base, files, change, tag }: AssembleRequest): Made {
    const below = this.#find(base);
    if (!below) throw new Error(`no image ${base} to assemble ${tag} on`);
    const { config } = below.contents;
    const { environment, labels, ...plain } = change;
    const changed: ImageConfig = {
      ...config,
      ...plain,
      environment: merged(config.environment, environment),
      labels: { ...config.labels, ...labels },
    };
    return { config: changed, layers: [...below.contents.layers, ...layerOf(files)], files, below: below.files };
  }

  #store(made: Made, tag?: string): ImageId {
    const contents: Contents = { config: made.config, layers: made.layers, digests: [], architecture: 'amd64', os: 'linux' };
    const id = idOf(made);
    const files = new Map([...(made.below ?? []), ...storedOf(made.files)]);
    if (!this.#images.has(id)) this.#images.set(id, { id, contents, files, tags: new Set(), createdAt: this.#machine.now() });
    if (tag !== undefined) void this.tag(id, tag);
    return id;
  }

  #find(reference: string): StoredImage | undefined {
    const byId = this.#images.get(reference as ImageId);
    return byId ?? [...this.#images.values()].find((image) => image.tags.has(withVersion(reference)));
  }

  #isUsed(id: ImageId): boolean {
    return [...this.#machine.architectures.values()].some((state) =>
      [...state.slots.values(), ...state.instances.values(), ...state.controllers.values()].some(({ spec }) => spec.image === id),
    );
  }
}

function detailOf({ id, contents, files, tags, createdAt }: StoredImage): ImageDetail {
  const sizeBytes = [...files.values()].reduce((sum, file) => sum + ('target' in file ? 0 : file.length), 0);
  return { ...contents, id, tags: [...tags], labels: contents.config.labels, sizeBytes, createdAt };
}

/** Through links to what is at their end; undefined when nothing is, or they lead round. */
function followed(files: ReadonlyMap<string, StoredFile>, path: string, left = 40): Uint8Array | undefined {
  const file = files.get(path);
  if (file === undefined || !('target' in file)) return file;
  return left === 0 ? undefined : followed(files, posix.resolve(posix.dirname(path), file.target), left - 1);
}

/** As Docker's `reference` filter: `*` stands for anything but a slash. */
function hasReference(image: ListedImage, reference: string | undefined): boolean {
  if (reference === undefined) return true;
  const pattern = reference
    .split('*')
    .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
    .join('[^/]*');
  return image.tags.some((tag) => new RegExp(`^${pattern}$`).test(tag) || new RegExp(`^${pattern}$`).test(tag.replace(/:[^/]*$/, '')));
}
