import type { Lock } from '../architecture/lock.ts';
import { digestOf, type ComponentKey, type ImageId } from '../digest.ts';
import type { AssembleRequest, TreeFile } from '../engine/image.ts';
import { labels } from '../engine/labels.ts';
import { done, failed, type Result } from '../result.ts';
import { digestOfFiles, readFolder } from './asset-files.ts';
import { builder, type Assets } from './build-context.ts';
import { findingsProblem } from './findings.ts';
import { systemTag, type SystemImage } from './image-names.ts';
import { pinOf } from './pins.ts';

/** External images Changeless itself stands on; every lock pins them. */
export const systemBases = { debian: 'debian:bookworm-slim', node: 'node:24-bookworm-slim' } as const;

/** Where the controller image keeps the command line. */
export const programFolder = '/changeless/program';

/** The images Changeless brings along: their keys, their pinned bases and the files they are made from. */
export type SystemPlan = {
  keys: Readonly<Record<SystemImage, ComponentKey>>;
  bases: { debian: string; node: string };
  files: Omit<AssetFiles, 'digests'>;
};

/** What Changeless brings along, read and digested. */
export type AssetFiles = { controller: readonly TreeFile[]; proxy: readonly TreeFile[]; digests: { controller: string; proxy: string } };

export async function readAssets(assets: Assets): Promise<AssetFiles> {
  const [controller, proxy] = await Promise.all([readFolder(assets.bundle), readFolder(assets.proxy)]);
  return { controller, proxy, digests: { controller: digestOfFiles(controller), proxy: digestOfFiles(proxy) } };
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
