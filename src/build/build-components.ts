import type { ComponentKey, ImageId } from '../digest.ts';
import { done, type Result } from '../result.ts';
import { resolveBases } from './bases.ts';
import { buildComponent, type ComponentBuild } from './build-component.ts';
import type { BuildContext } from './build-context.ts';
import { withRepository } from './foreign-repository.ts';
import { allOrFirstProblem, type Work } from './first-problem.ts';
import { componentTag } from './image-names.ts';
import type { PlannedComponent, PlannedRelease } from './plan-release.ts';
import type { SetAside } from './set-aside.ts';

/** How many components are built at a time: BuildKit runs the steps of each in parallel as it is. */
const atATime = 3;

/** The image of every component, by its name. */
export type ComponentImages = Readonly<Record<string, ImageId>>;

/**
 * `signal`: gives it up. `allBuilt` is told the images once all are built that were not set aside; tests of the new ones may still
 * run then.
 */
type Building = { signal: AbortSignal; setAside: SetAside; allBuilt: (images: ComponentImages) => void };

/**
 * Makes sure that every component has an image that passed its tests: those that are there, and the missing ones built, each
 * key once. After the first problem that is not set aside, or when aborted, what is under way is given up.
 */
export async function buildComponents(
  context: BuildContext,
  planned: PlannedRelease,
  { signal, setAside, allBuilt }: Building,
): Promise<Result<void>> {
  await reuse(context, planned);
  const missing = [
    ...Map.groupBy(
      planned.components.filter(({ reused }) => !reused),
      ({ key }) => key,
    ).values(),
  ];
  const resolved = await resolveBases(
    workshopOf(context),
    missing.flatMap(([first]) => basesOf(first)),
  );
  if (!resolved.ok) return resolved;
  const tags = new Map(resolved.value.map(({ name, tag }) => [name, tag]));
  const ids = new Map<ComponentKey, ImageId | undefined>();
  const tell = (): void => {
    if (ids.size < missing.length) return;
    const images = planned.components.map(({ name, key, image }) => ({ name, image: image ?? ids.get(key) }));
    allBuilt(Object.fromEntries(images.flatMap(({ name, image }) => (image ? [[name, image]] : []))));
  };
  const works = missing.map((sharing): Work => {
    const settled = (image?: ImageId): void => {
      for (const { key } of sharing) ids.set(key, image);
      tell();
    };
    return async (stop) => {
      const one = { sharing, architecture: planned.inputs.architecture.name, tags, signal: stop, imageKnown: settled };
      const built = await buildOne(context, one);
      const names = sharing.map(({ name }) => name);
      if (built.ok || stop.aborted || !setAside.takesComponents(built.problem, names)) return built;
      settled();
      return done(undefined);
    };
  });
  tell();
  return await allOrFirstProblem(works, { signal, atATime });
}

const workshopOf = ({ engine, report }: BuildContext) => ({ images: engine.images, report });

/** An image found under another component's name gets this one's too, so that nothing takes it away. */
async function reuse({ engine, report }: BuildContext, { components, inputs, existing }: PlannedRelease): Promise<void> {
  for (const { name, key, image } of components) {
    if (image === undefined) continue;
    report({ type: 'component-reused', component: name, key });
    const tag = componentTag(inputs.architecture.name, name, key);
    if (existing.tagged(tag) === undefined) await engine.images.tag(image, tag);
  }
}

const basesOf = (component: PlannedComponent | undefined) =>
  Object.entries(component?.component.inputs.bases ?? {}).map(([name, pin]) => ({ name, pin }));

type Shared = Pick<ComponentBuild, 'architecture' | 'signal' | 'imageKnown'> & {
  sharing: readonly PlannedComponent[];
  tags: ReadonlyMap<string, string>;
};

async function buildOne(context: BuildContext, { sharing, tags, ...rest }: Shared): Promise<Result<ImageId>> {
  const [keyed] = sharing;
  if (keyed === undefined) throw new Error('a key without components');
  const pins = Object.fromEntries(basesOf(keyed).map(({ name }) => [name, tags.get(name) ?? '']));
  const names = sharing.map(({ name }) => name);
  return await withRepository(
    { own: context.repository, cacheFolder: context.cacheFolder, foreign: keyed.component.repository },
    async (repository) => await buildComponent(workshopOf(context), { ...rest, keyed, repository, names, pins }),
  );
}
