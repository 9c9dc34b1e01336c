import type { Architecture, ComponentTest } from '../architecture/model.ts';
import type { BodyId, CommitId, ComponentKey, GenerationId, ImageId, ReleaseId } from '../digest.ts';
import type { Problem } from '../problem.ts';

/** All that goes into a component's image, each field because a change of it can change the image. */
export type ComponentInputs = {
  /** Git's own hash of the folder: every file's name, mode and bytes. */
  tree: string;
  dockerfile: string;
  target?: string;
  arguments: Readonly<Record<string, string>>;
  tests: readonly ComponentTest[];
  /** External images the Dockerfile names → pinned digest. */
  bases: Readonly<Record<string, string>>;
  platform: string;
  /** Moves when Changeless builds differently from the same inputs. */
  builder: string;
};

/** Where a component comes from, for people; only `inputs` is hashed into its key. */
export type Component = { key: ComponentKey; folder: string; repository?: { address: string; commit: CommitId }; inputs: ComponentInputs };

/** Name → version → the value, encrypted, as the file of the repository has it. */
export type SealedSecrets = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** What a release is made from. Its digest is the release's id. */
export type ReleaseInputs = {
  schema: 1;
  architecture: Architecture;
  /** `uncommitted`: a working-folder snapshot; `tree` then tells it from others. */
  source: { commit: CommitId | 'uncommitted'; tree: string };
  /** Changeless itself: its version, and the keys of the images it brings along. */
  changeless: { version: string; controller: ComponentKey; proxy: ComponentKey; sandbox: ComponentKey; builder?: ComponentKey };
  /** What secrets are used in any environment, by name and version; left out where none is. */
  secrets?: SealedSecrets;
  /** By component name: `catalog/api`, `sessions`, `agent/node`. */
  components: Readonly<Record<string, Component>>;
};

/** An app's (or the core's, or a store's) incarnation in one environment. Ids follow from inputs alone. */
export type Generation = { id: GenerationId; body: BodyId };

/**
 * The images of a generation: services by name, a stage's in each colour (`auth.blue`); the path in each colour (a core's path has one: `blue`); steps, where there are
 * any, by service and name: `api/migrate`.
 */
export type GenerationImages = {
  services: Readonly<Record<string, ImageId>>;
  path: { blue: ImageId; green: ImageId };
  steps?: Readonly<Record<string, ImageId>>;
};

export type SealedGeneration = Generation & { images: GenerationImages };

export type SealedEnvironment = {
  core: SealedGeneration;
  apps: Readonly<Record<string, SealedGeneration>>;
  stores: Readonly<Record<string, SealedGeneration>>;
};

/** Everything a release is: input keys and output digests side by side. Baked into the release image as canonical JSON. */
export type Manifest = {
  schema: 1;
  release: ReleaseId;
  inputs: ReleaseInputs;
  outputs: {
    controller: ImageId;
    sandbox: ImageId;
    /** What fetches, builds and runs pushed commits; left out where none are delivered. */
    builder?: ImageId;
    components: Readonly<Record<string, ImageId>>;
    environments: Readonly<Record<string, SealedEnvironment>>;
    /** Where apps are independent: those that could not be built, and why. They have no images in any environment. */
    unbuilt?: Readonly<Record<string, Problem>>;
  };
};

/** Where the release image keeps its manifest and the name of its environment. */
export const manifestPath = '/changeless/manifest.json';
export const environmentPath = '/changeless/environment.json';
