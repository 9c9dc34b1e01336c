import type { ImageId } from '../digest.ts';
import type { Images } from '../engine/image.ts';
import type { Report } from '../events.ts';
import { done, failed, type Result } from '../result.ts';
import { resolveBases, type ResolvedBase } from './bases.ts';
import { buildProblem } from './build-component.ts';
import { pinDockerfile } from './dockerfile.ts';
import { systemTag } from './image-names.ts';
import type { SystemIds } from './seal.ts';
import { controllerRequest, sandboxRequest, systemBases, systemLabels, type SystemPlan } from './system-images.ts';
import { packTar, type TarItem } from './tar.ts';

type Workshop = { images: Images; report: Report };

/** What is looked up before it is made: an image's id by its tag. */
type Lookup = (tag: string) => ImageId | undefined;

/** The images Changeless brings along: those that are there, and the others made. May be repeated. */
export async function ensureSystem(
  workshop: Workshop,
  { plan, platform, tagged, signal }: { plan: SystemPlan; platform: string; tagged: Lookup; signal: AbortSignal },
): Promise<Result<SystemIds>> {
  const [controller, sandbox, proxy] = (['controller', 'sandbox', 'proxy'] as const).map((image) =>
    tagged(systemTag(image, plan.keys[image])),
  );
  if (controller !== undefined && sandbox !== undefined && proxy !== undefined) return done({ controller, sandbox, proxy });
  const bases = await resolveBases(workshop, systemBasesOf(plan));
  if (!bases.ok) return bases;
  const [debian, node] = bases.value;
  if (debian === undefined || node === undefined) throw new Error('a base without answer');
  const built = proxy === undefined ? await buildProxy(workshop, { plan, platform, debian, signal }) : done(proxy);
  if (!built.ok) return built;
  const [newController, newSandbox] = await workshop.images.assemble([controllerRequest(plan, node.id), sandboxRequest(plan, debian.id)]);
  if (newController === undefined || newSandbox === undefined) throw new Error('the engine made fewer images than were asked for');
  return done({ controller: newController, sandbox: newSandbox, proxy: built.value });
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

async function buildProxy(
  { images, report }: Workshop,
  { plan, platform, debian, signal }: { plan: SystemPlan; platform: string; debian: ResolvedBase; signal: AbortSignal },
): Promise<Result<ImageId>> {
  const key = plan.keys.proxy;
  report({ type: 'component-build-started', component: 'system/proxy', key });
  const started = performance.now();
  const request = { dockerfile: 'Dockerfile', arguments: {}, labels: systemLabels('proxy', key), tag: systemTag('proxy', key), signal };
  const context = packTar(proxyItems(plan, { platform, debian }));
  const built = await images.build({ ...request, context }, (progress) =>
    report({ type: 'component-build-step', component: 'system/proxy', ...progress }),
  );
  if (!built.ok) return failed(buildProblem({ name: 'the proxy of the data paths', file: 'its Dockerfile in Changeless' }, built.problem));
  report({
    type: 'component-built',
    component: 'system/proxy',
    key,
    image: built.value,
    durationMs: Math.round(performance.now() - started),
  });
  return built;
}

function proxyItems({ files }: SystemPlan, { platform, debian }: { platform: string; debian: ResolvedBase }): TarItem[] {
  return files.proxy.map(({ path, contents, mode }): TarItem => {
    const bytes = typeof contents === 'string' ? new TextEncoder().encode(contents) : contents;
    const isDockerfile = path === 'Dockerfile';
    const pinned = isDockerfile
      ? pinDockerfile(new TextDecoder().decode(bytes), { arguments: {}, platform }, { [systemBases.debian]: debian.tag })
      : '';
    return { path, kind: 'file', isExecutable: mode === 0o755, contents: isDockerfile ? new TextEncoder().encode(pinned) : bytes };
  });
}
