import type { Lock } from '../architecture/lock.ts';
import { digestOf, type ComponentKey, type ImageId } from '../digest.ts';
import type { AssembleRequest, TreeFile } from '../engine/image.ts';
import { labels } from '../engine/labels.ts';
import { done, failed, type Result } from '../result.ts';
import { digestOfFiles, readFolder, readPackage } from './asset-files.ts';
import { builder, type Assets } from './build-context.ts';
import { findingsProblem } from './findings.ts';
import { systemTag, type SystemImage } from './image-names.ts';
import { pinOf } from './pins.ts';

/** External images Changeless itself stands on; every lock pins them. */
export const systemBases = { debian: 'debian:bookworm-slim', node: 'node:24-bookworm-slim' } as const;

/** Where the controller image keeps the command line. */
export const programFolder = '/changeless/program';

/** Where the builder keeps what it has of the installed package. */
export const packageFolder = '/changeless/package';

/** Those that only a release has which is delivered by pushes. */
type BuilderImage = 'git' | 'builder';

export type SystemKeys = Readonly<Record<Exclude<SystemImage, BuilderImage>, ComponentKey>> & {
  readonly [image in BuilderImage]?: ComponentKey;
};

/** The images Changeless brings along: their keys, their pinned bases and the files they are made from. */
export type SystemPlan = {
  keys: SystemKeys;
  bases: { debian: string; node: string };
  files: Omit<AssetFiles, 'digests'>;
};

/** What Changeless brings along, read and digested. */
export type AssetFiles = {
  controller: readonly TreeFile[];
  proxy: readonly TreeFile[];
  /** Of the builder, where there is one. */
  builder?: { git: readonly TreeFile[]; package: readonly TreeFile[] };
  digests: { controller: string; proxy: string; builder?: { git: string; package: string } };
};

/** `builder`: whether the release has one. */
export async function readAssets(assets: Assets, { builder: hasBuilder }: { builder: boolean }): Promise<AssetFiles> {
  const [controller, proxy, builder] = await Promise.all([
    readFolder(assets.bundle),
    readFolder(assets.proxy),
    hasBuilder ? readBuilder(assets) : undefined,
  ]);
  const digests = { controller: digestOfFiles(controller), proxy: digestOfFiles(proxy) };
  if (!builder) return { controller, proxy, digests };
  const own = { git: digestOfFiles(builder.git), package: digestOfFiles(builder.package) };
  return { controller, proxy, builder, digests: { ...digests, builder: own } };
}

async function readBuilder(assets: Assets): Promise<NonNullable<AssetFiles['builder']>> {
  const [git, files] = await Promise.all([readFolder(assets.git), readPackage(assets.package)]);
  return { git, package: files };
}

/** What of the images follows from the lock and the installed package. BASE_UNPINNED when the lock leaves out a base. */
export function planSystem({ files, lock, platform }: { files: AssetFiles; lock: Lock; platform: string }): Result<SystemPlan> {
  const [debian, node] = [pinOf(lock, systemBases.debian), pinOf(lock, systemBases.node)];
  if (debian === undefined || node === undefined) return failed(unpinned(lock));
  const key = (image: SystemImage, inputs: { base: string; files?: string }): ComponentKey =>
    digestOf({ image, builder, platform, ...inputs }) as string as ComponentKey;
  return done({
    keys: {
      controller: key('controller', { base: node, files: files.digests.controller }),
      proxy: key('proxy', { base: debian, files: files.digests.proxy }),
      sandbox: key('sandbox', { base: debian }),
      ...(files.digests.builder && {
        git: key('git', { base: node, files: files.digests.builder.git }),
        builder: key('builder', { base: node, files: digestOf(files.digests.builder) }),
      }),
    },
    bases: { debian, node },
    files,
  });
}

/** Labels of a system image; it belongs to no architecture. */
export const systemLabels = (image: SystemImage, key: ComponentKey): Record<string, string> => ({
  [labels.role]: image,
  [labels.key]: key,
});

/** Node, and the programs that run in containers; started without arguments it is the controller. */
export const controllerRequest = ({ keys, files }: SystemPlan, node: ImageId): AssembleRequest => ({
  base: node,
  files: files.controller.map((file) => ({ ...file, path: `${programFolder}/${file.path}` })),
  change: {
    entrypoint: ['node', `${programFolder}/controller.js`],
    command: [],
    // It talks to the engine's socket, which belongs to root and to a group whose number differs from host to host.
    user: '0',
    workingFolder: '/',
    stopSignal: 'SIGTERM',
    labels: systemLabels('controller', keys.controller),
  },
  tag: systemTag('controller', keys.controller),
});

/** The command line and git: it is told what to do by what a micro layer adds. */
export function builderRequest({ keys, files }: SystemPlan, git: ImageId): AssembleRequest {
  if (!keys.builder || !files.builder) throw new Error('a builder without a plan');
  return {
    base: git,
    files: files.builder.package.map((file) => ({ ...file, path: `${packageFolder}/${file.path}` })),
    change: {
      entrypoint: ['node', `${packageFolder}/dist/cli/main.js`, 'builder', '--json'],
      command: [],
      // As the controller, it talks to the engine's socket.
      user: '0',
      workingFolder: '/',
      stopSignal: 'SIGTERM',
      labels: systemLabels('builder', keys.builder),
    },
    tag: systemTag('builder', keys.builder),
  };
}

/** Something that sleeps and holds a network namespace. */
export const sandboxRequest = ({ keys }: SystemPlan, debian: ImageId): AssembleRequest => ({
  base: debian,
  files: [],
  change: {
    entrypoint: ['/bin/sleep', 'infinity'],
    command: [],
    user: '65534',
    workingFolder: '/',
    // As process 1 it ignores SIGTERM, and it has nothing to finish.
    stopSignal: 'SIGKILL',
    labels: systemLabels('sandbox', keys.sandbox),
  },
  tag: systemTag('sandbox', keys.sandbox),
});

function unpinned(lock: Lock) {
  const names = Object.values(systemBases).filter((name) => pinOf(lock, name) === undefined);
  return findingsProblem(
    names.map((name) => ({
      code: 'BASE_UNPINNED',
      finding: {
        place: { file: 'architecture.lock', line: 1 },
        key: `images.${name}`,
        what: `${name}, which Changeless itself stands on, is not pinned`,
      },
    })),
  );
}
