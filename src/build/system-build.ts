import type { ComponentKey, ImageId } from '../digest.ts';
import type { Images, TreeFile } from '../engine/image.ts';
import type { Report } from '../events.ts';
import { done, failed, type Result } from '../result.ts';
import { resolveBases, type ResolvedBase } from './bases.ts';
import { buildProblem } from './build-component.ts';
import { pinDockerfile } from './dockerfile.ts';
import { systemTag, type SystemImage } from './image-names.ts';
import type { SystemIds } from './seal.ts';
import { builderRequest, controllerRequest, sandboxRequest, systemBases, systemLabels, type SystemPlan } from './system-images.ts';
import { packTar, type TarItem } from './tar.ts';

type Workshop = { images: Images; report: Report };

/** What is looked up before it is made: an image's id by its tag. */
type Lookup = (tag: string) => ImageId | undefined;

/** The images Changeless brings along: those that are there, and the others made. May be repeated. */
export async function ensureSystem(workshop: Workshop, making: Making & { tagged: Lookup }): Promise<Result<SystemIds>> {
  const { plan, tagged } = making;
  const found = (image: SystemImage): ImageId | undefined => {
    const key = plan.keys[image];
    return key && tagged(systemTag(image, key));
  };
  const [controller, sandbox, proxy, builder] = (['controller', 'sandbox', 'proxy', 'builder'] as const).map(found);
  const isBuilderThere = plan.keys.builder === undefined || builder !== undefined;
  if (controller && sandbox && proxy && isBuilderThere) return done({ controller, sandbox, proxy, ...(builder && { builder }) });
  const bases = await resolveBases(workshop, systemBasesOf(plan));
  if (!bases.ok) return bases;
  const [debian, node] = bases.value;
  if (debian === undefined || node === undefined) throw new Error('a base without answer');
  const built = proxy === undefined ? await buildAsset(workshop, making, { ...proxyAsset(plan), base: debian }) : done(proxy);
  if (!built.ok) return built;
  const git = isBuilderThere ? undefined : await gitImage(workshop, making, { node, present: found('git') });
  if (git?.ok === false) return git;
  const requests = [controllerRequest(plan, node.id), sandboxRequest(plan, debian.id), ...(git ? [builderRequest(plan, git.value)] : [])];
  const [newController, newSandbox, newBuilder = builder] = await workshop.images.assemble(requests);
  if (newController === undefined || newSandbox === undefined) throw new Error('the engine made fewer images than were asked for');
  return done({ controller: newController, sandbox: newSandbox, proxy: built.value, ...(newBuilder && { builder: newBuilder }) });
}

/** The controller image alone: all that evaluating needs. */
export async function ensureController(workshop: Workshop, plan: SystemPlan): Promise<Result<ImageId>> {
  const present = await workshop.images.inspect(systemTag('controller', plan.keys.controller));
  if (present !== undefined) return done(present.id);
  const bases = await resolveBases(workshop, systemBasesOf(plan).slice(1));
  if (!bases.ok) return bases;
  const [node] = bases.value;
  const [id] = node === undefined ? [] : await workshop.images.assemble([controllerRequest(plan, node.id)]);
  if (id === undefined) throw new Error('the engine made fewer images than were asked for');
  return done(id);
}

const systemBasesOf = ({ bases }: SystemPlan) => [
  { name: systemBases.debian, pin: bases.debian },
  { name: systemBases.node, pin: bases.node },
];

type Making = { plan: SystemPlan; platform: string; signal: AbortSignal };

/** What BuildKit makes of a folder of the package. `called`: what it is, for people. */
type Asset = { image: SystemImage; key: ComponentKey; files: readonly TreeFile[]; called: string; base: ResolvedBase };

const proxyAsset = ({ keys, files }: SystemPlan): Omit<Asset, 'base'> => ({
  image: 'proxy',
  key: keys.proxy,
  files: files.proxy,
  called: 'the proxy of the data paths',
});

async function gitImage(
  workshop: Workshop,
  making: Making,
  { node, present }: { node: ResolvedBase; present: ImageId | undefined },
): Promise<Result<ImageId>> {
  const { keys, files } = making.plan;
  if (present !== undefined) return done(present);
  if (!keys.git || !files.builder) throw new Error('a builder without a plan');
  return buildAsset(workshop, making, {
    image: 'git',
    key: keys.git,
    files: files.builder.git,
    called: 'the ground of the builder',
    base: node,
  });
}

async function buildAsset({ images, report }: Workshop, { platform, signal }: Making, asset: Asset): Promise<Result<ImageId>> {
  const { image, key } = asset;
  const component = `system/${image}`;
  report({ type: 'component-build-started', component, key });
  const started = performance.now();
  const request = { dockerfile: 'Dockerfile', arguments: {}, labels: systemLabels(image, key), tag: systemTag(image, key), signal };
  const context = packTar(assetItems(asset, platform));
  const built = await images.build({ ...request, context }, (progress) => report({ type: 'component-build-step', component, ...progress }));
  if (!built.ok) return failed(buildProblem({ name: asset.called, file: 'its Dockerfile in Changeless' }, built.problem));
  report({ type: 'component-built', component, key, image: built.value, durationMs: Math.round(performance.now() - started) });
  return built;
}

function assetItems({ files, base }: Asset, platform: string): TarItem[] {
  return files.map(({ path, contents, mode }): TarItem => {
    const bytes = typeof contents === 'string' ? new TextEncoder().encode(contents) : contents;
    const isDockerfile = path === 'Dockerfile';
    const pinned = isDockerfile
      ? pinDockerfile(new TextDecoder().decode(bytes), { arguments: {}, platform }, { [base.name]: base.tag })
      : '';
    return { path, kind: 'file', isExecutable: mode === 0o755, contents: isDockerfile ? new TextEncoder().encode(pinned) : bytes };
  });
}
