import type { ImageId } from '../../digest.ts';
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
} from '../image.ts';
import { assemble, prepare, tagImage } from './assemble.ts';
import { build } from './build.ts';
import { jsonLines, type DockerClient } from './client.ts';
import { listContainers } from './containers.ts';
import { EngineFailure, problemOf, hasStatus } from './failure.ts';
import { readFile, runOnce } from './once.ts';
import type { VendorImage, VendorImageSummary } from './vendor.ts';

const UNTAGGED = '<none>:<none>';

/** The images of a Docker Engine. Verbs without a Result throw EngineFailure, which carries its problem. */
export class DockerImages implements Images {
  readonly #client: DockerClient;

  constructor(client: DockerClient) {
    this.#client = client;
  }

  async list({ reference, labels = {} }: { reference?: string; labels?: Readonly<Record<string, string>> }): Promise<ListedImage[]> {
    const label = Object.entries(labels).map(([name, value]) => `${name}=${value}`);
    const filters = { ...(reference !== undefined && { reference: [reference] }), ...(label.length > 0 && { label }) };
    const images = await this.#client.json<VendorImageSummary[]>({ path: '/images/json', query: { filters } });
    return images.map(({ Id, RepoTags, Labels, Size, Created }) => ({
      id: Id as ImageId,
      tags: tagsOf(RepoTags),
      labels: Labels ?? {},
      sizeBytes: Size,
      createdAt: new Date(Created * 1000).toISOString(),
    }));
  }

  async inspect(reference: string): Promise<ImageDetail | undefined> {
    const image = await this.#client.find<VendorImage>({ path: `/images/${reference}/json` });
    return image && detailOf(image);
  }

  async pull(reference: string, limitMs: number): Promise<Result<ImageDetail>> {
    const signal = AbortSignal.timeout(limitMs);
    const why = await this.#pulled(reference, signal).catch((error: unknown) => {
      if (signal.aborted) return `no answer within ${limitMs / 1000} s`;
      if (error instanceof EngineFailure) return error;
      throw error;
    });
    if (why instanceof EngineFailure && why.status === undefined) return failed(problemOf(why, `image ${reference} could not be fetched`));
    const image = why === undefined ? await this.inspect(reference) : undefined;
    if (image) return done(image);
    const reason = why instanceof EngineFailure ? why.message : (why ?? 'the engine does not have it after fetching it');
    return failed({
      code: 'BASE_UNAVAILABLE',
      what: `image ${reference} could not be fetched`,
      why: reason,
      next: `docker pull ${reference}`,
    });
  }

  build(request: BuildRequest, onProgress: (progress: BuildProgress) => void): Promise<Result<ImageId, BuildFailure>> {
    return build(this.#client, request, onProgress);
  }

  prepare(requests: readonly AssembleRequest[]): Promise<Assembly> {
    return prepare(this.#client, requests);
  }

  assemble(requests: readonly AssembleRequest[]): Promise<ImageId[]> {
    return assemble(this.#client, requests);
  }

  tag(id: ImageId, tag: string): Promise<void> {
    return tagImage(this.#client, id, tag);
  }

  async remove(reference: string): Promise<boolean> {
    const image = await this.#client.find<VendorImage>({ path: `/images/${reference}/json` });
    if (image === undefined) return true;
    const tags = tagsOf(image.RepoTags);
    const isLastName = !tags.includes(reference) || tags.length === 1;
    // Asked first: with `force`, which several tags need, the engine would take it from under a stopped container.
    if (isLastName && (await this.#isUsed(image.Id))) return false;
    return this.#removed(reference, isLastName && tags.length > 1);
  }

  readFile(reference: string, path: string): Promise<Uint8Array | undefined> {
    return readFile(this.#client, reference, path);
  }

  runOnce(request: OnceRequest): Promise<OnceResult> {
    return runOnce(this.#client, request);
  }

  async #isUsed(id: string): Promise<boolean> {
    return (await listContainers(this.#client)).some(({ ImageID }) => ImageID === id);
  }

  /** False while something uses it. 20.10 stumbles (500) where two that share layers are removed at once: then once more. */
  async #removed(reference: string, force: boolean, again = true): Promise<boolean> {
    try {
      await this.#client.bytes({ method: 'DELETE', path: `/images/${reference}`, query: { force } });
    } catch (error) {
      if (hasStatus(error, 409)) return false;
      if (hasStatus(error, 500) && again) return this.#removed(reference, force, false);
      if (!hasStatus(error, 404)) throw error;
    }
    return true;
  }

  /** What the registry's side says against it, undefined when the engine has it now. */
  async #pulled(reference: string, signal: AbortSignal): Promise<string | undefined> {
    const hasVersion = /@|:[^/]*$/.test(reference);
    // Without a tag Docker would fetch all there are.
    const query = { fromImage: reference, tag: hasVersion ? undefined : 'latest' };
    const response = await this.#client.stream({ method: 'POST', path: '/images/create', query, signal, long: true });
    for await (const line of jsonLines<{ error?: string }>(response)) if (line.error !== undefined) return line.error;
    return undefined;
  }
}

export function detailOf(image: VendorImage): ImageDetail {
  const config = configOf(image);
  return {
    id: image.Id as ImageId,
    tags: tagsOf(image.RepoTags),
    labels: config.labels,
    sizeBytes: image.Size,
    createdAt: image.Created,
    config,
    layers: image.RootFS.Layers ?? [],
    digests: (image.RepoDigests ?? []).flatMap((digest) => digest.split('@')[1] ?? []),
    architecture: image.Architecture,
    os: image.Os,
  };
}

function configOf({ Config }: VendorImage): ImageConfig {
  return {
    environment: Config?.Env ?? [],
    entrypoint: Config?.Entrypoint ?? [],
    command: Config?.Cmd ?? [],
    workingFolder: Config?.WorkingDir ?? '',
    user: Config?.User ?? '',
    labels: Config?.Labels ?? {},
    stopSignal: Config?.StopSignal ?? '',
  };
}

const tagsOf = (tags: readonly string[] | null): string[] => (tags ?? []).filter((tag) => tag !== UNTAGGED);
