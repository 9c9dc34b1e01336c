import type { ImageId } from '../digest.ts';
import type { Result } from '../result.ts';

/** An image as a listing shows it. Tags are `name:tag`, labels as baked in. */
export type ListedImage = {
  id: ImageId;
  tags: readonly string[];
  labels: Readonly<Record<string, string>>;
  sizeBytes: number;
  createdAt: string;
};

/** What a container made from the image starts with. */
export type ImageConfig = {
  environment: readonly string[];
  entrypoint: readonly string[];
  command: readonly string[];
  workingFolder: string;
  user: string;
  labels: Readonly<Record<string, string>>;
  stopSignal: string;
};

/** One image whole. `layers` are the diff ids, lowest first; `digests` the registry digests it is known by (`sha256:…`). */
export type ImageDetail = ListedImage & {
  config: ImageConfig;
  layers: readonly string[];
  digests: readonly string[];
  architecture: string;
  os: string;
};

/** Numbers, because names mean something in one image only. */
export type FileOwner = { user: number; group: number };

/** A file in a tree. Mode 0o644 unless said; contents in full. */
export type TreeFile = { path: string; contents: string | Uint8Array; mode?: number };

/** A symbolic link to `target`, as it is written in it. */
export type TreeLink = { path: string; target: string };

/** A folder of mode 0o755. Those above a file need not be said, unless they are to have another owner than root. */
export type TreeFolder = { path: string; folder: true };

/** Something in a layer. Root's, unless said; its time is fixed, so that equal contents have equal digests. */
export type LayerItem = (TreeFile | TreeLink | TreeFolder) & { owner?: FileOwner };

/** A build of one component. `context` is a tar with the Dockerfile inside. `signal`: gives it up; the build throws the signal's reason. */
export type BuildRequest = {
  context: AsyncIterable<Uint8Array> | Uint8Array;
  dockerfile: string;
  target?: string;
  arguments: Readonly<Record<string, string>>;
  labels: Readonly<Record<string, string>>;
  tag: string;
  signal?: AbortSignal;
};

export type BuildProgress = { step: string; state: 'started' | 'done' | 'cached' | 'failed'; line?: string };

export type BuildFailure = { step: string; lines: readonly string[]; message: string; noSpace: boolean };

/**
 * A micro layer: `base`'s layers, one layer of `files` (none when empty), and a changed configuration. What is said twice at one
 * path is its last.
 * The id depends on the base image and the request only, never on when or where it is assembled.
 */
export type AssembleRequest = {
  base: ImageId;
  files: readonly LayerItem[];
  change: Partial<Pick<ImageConfig, 'entrypoint' | 'command' | 'user' | 'workingFolder' | 'stopSignal'>> & {
    environment?: Readonly<Record<string, string>>;
    labels?: Readonly<Record<string, string>>;
  };
  tag: string;
};

/**
 * Images whose ids are known before the engine has them. `load` brings them to the engine without a name; `name` gives them
 * their tags; `discard` removes again what `load` brought, unless it has a name. Each may be repeated.
 */
export interface Assembly {
  readonly ids: readonly ImageId[];
  load(): Promise<void>;
  name(): Promise<void>;
  discard(): Promise<void>;
}

/** A container that runs to its end and is removed: tests of images, evaluation, questions to the ledger. */
export type OnceRequest = {
  image: ImageId | string;
  command?: readonly string[];
  /** Copied in before it starts, as a tree below `/`. */
  files?: readonly TreeFile[];
  labels: Readonly<Record<string, string>>;
  network: 'none' | 'host';
  /** Volume name of the engine → path; read-only unless `writable`. */
  volumes?: readonly { volume: string; path: string; writable: boolean }[];
  memory?: readonly string[];
  environment?: Readonly<Record<string, string>>;
  /** When false the root file system is writable (image tests need not declare what they write). */
  readOnly: boolean;
  limitMs: number;
  /** Ends it at once; the run throws the signal's reason. */
  signal?: AbortSignal;
};

export type OnceResult = { exitCode: number; stdout: string; stderr: string; timedOut: boolean };

/** The engine's images. Every verb may be repeated safely. */
export interface Images {
  /** `reference` is a tag name without version (`changeless/streaming/api`) with `*` allowed; all labels must match. One engine call. */
  list(filter: { reference?: string; labels?: Readonly<Record<string, string>> }): Promise<ListedImage[]>;
  /** By id or tag; undefined when the engine does not have it. */
  inspect(reference: string): Promise<ImageDetail | undefined>;
  /** Fetches an image by name, within `limitMs`; a problem BASE_UNAVAILABLE when no registry gives it. */
  pull(reference: string, limitMs: number): Promise<Result<ImageDetail>>;
  build(request: BuildRequest, onProgress: (progress: BuildProgress) => void): Promise<Result<ImageId, BuildFailure>>;
  /** Ids in the order of the requests. Changes nothing on the engine. */
  prepare(requests: readonly AssembleRequest[]): Promise<Assembly>;
  /** Prepared, loaded in one go, and named. */
  assemble(requests: readonly AssembleRequest[]): Promise<ImageId[]>;
  tag(id: ImageId, tag: string): Promise<void>;
  /** Removes a tag, or an image by id; false when a container still uses it. */
  remove(reference: string): Promise<boolean>;
  /** Contents of one file in an image, without running anything; undefined when it is not there. */
  readFile(reference: string, path: string): Promise<Uint8Array | undefined>;
  runOnce(request: OnceRequest): Promise<OnceResult>;
}
