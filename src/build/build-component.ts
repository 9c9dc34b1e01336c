import path from 'node:path';
import type { Repository } from '../architecture/repository.ts';
import type { ImageId } from '../digest.ts';
import type { BuildFailure, Images } from '../engine/image.ts';
import { labels } from '../engine/labels.ts';
import type { Report } from '../events.ts';
import type { Problem } from '../problem.ts';
import { failed, type Result } from '../result.ts';
import { packContext, submodulesOf } from './context.ts';
import { pinDockerfile } from './dockerfile.ts';
import { componentTag, untestedTag } from './image-names.ts';
import { describeTests, runTests, type Tested } from './image-tests.ts';
import type { KeyedComponent } from './keys.ts';

/**
 * One component to build. `repository` has its objects. `pins`: external image → the local name of what it is pinned to;
 * `names`: all that share the key. `signal`: gives it up. `imageKnown` is told the image as soon as it is built; its tests are still to run then.
 */
export type ComponentBuild = {
  architecture: string;
  keyed: KeyedComponent;
  repository: Repository;
  names: readonly string[];
  pins: Readonly<Record<string, string>>;
  signal: AbortSignal;
  imageKnown: (image: ImageId) => void;
};

/**
 * Builds a component's image and runs its tests. Only one that passed gets the component's tag; until then it has
 * another, so whoever finds the tag has the evidence. BUILD_FAILED, TESTS_FAILED or NO_SPACE otherwise.
 */
export async function buildComponent(
  { images, report }: { images: Images; report: Report },
  build: ComponentBuild,
): Promise<Result<ImageId>> {
  const { keyed, architecture, names, repository } = build;
  const {
    name,
    component: { key },
  } = keyed;
  report({ type: 'component-build-started', component: name, key });
  const started = performance.now();
  const submodules = await submodulesOf({ repository, tree: keyed.component.inputs.tree });
  if (submodules.length > 0) return failed(submoduleProblem(keyed, submodules));
  const { request, context } = await buildRequest(build);
  const asWritten = namesAsWritten(build.pins);
  const built = await images.build({ ...request, context: context() }, (progress) =>
    report({ type: 'component-build-step', component: name, ...progress, step: asWritten(progress.step) }),
  );
  if (!built.ok) return failed(buildProblem(keyed, { ...built.problem, step: asWritten(built.problem.step) }));
  build.imageKnown(built.value);
  const tested = await runTests({ images, report }, { keyed, request, context, image: built.value });
  if (!tested.ok) return tested;
  for (const each of names) await images.tag(built.value, componentTag(architecture, each, key));
  await images.remove(request.tag);
  report({ type: 'component-built', component: name, key, image: built.value, durationMs: Math.round(performance.now() - started) });
  return built;
}

async function buildRequest({
  architecture,
  keyed,
  repository,
  pins,
  signal,
}: ComponentBuild): Promise<Pick<Tested, 'request' | 'context'>> {
  const { key, inputs } = keyed.component;
  const found = await repository.find(inputs.tree, inputs.dockerfile);
  const source = found === undefined ? '' : new TextDecoder().decode(await repository.read(found.object));
  const text = pinDockerfile(source, { arguments: inputs.arguments, platform: inputs.platform }, pins);
  const tests = describeTests(inputs.tests);
  const dockerfile = path.posix.normalize(inputs.dockerfile);
  const request = {
    dockerfile,
    ...(inputs.target !== undefined && { target: inputs.target }),
    arguments: inputs.arguments,
    labels: { [labels.architecture]: architecture, [labels.role]: 'component', [labels.key]: key, ...(tests && { [labels.tests]: tests }) },
    tag: untestedTag(architecture, key),
    signal,
  };
  return { request, context: () => packContext({ repository, tree: inputs.tree, dockerfile: { path: dockerfile, text } }) };
}

/** A step with the names the Dockerfile has, not those that stand for their pins. */
const namesAsWritten =
  (pins: Readonly<Record<string, string>>) =>
  (step: string): string =>
    Object.entries(pins).reduce((text, [name, pin]) => text.replaceAll(`docker.io/${pin}`, name).replaceAll(pin, name), step);

/** What a failed build means to its reader. */
export function buildProblem(
  { name, file }: Pick<KeyedComponent, 'name' | 'file'>,
  { step, lines, message, noSpace }: BuildFailure,
): Problem {
  return {
    code: noSpace ? 'NO_SPACE' : 'BUILD_FAILED',
    what: noSpace ? `the engine has no space left to build ${name}` : `${name} does not build`,
    why: step === '' ? message : `step ${oneLine(step)} failed; ${oneLine(message)}`,
    safe: 'nothing that runs was touched',
    next: noSpace ? 'changeless gc    forgets images of old releases' : `correct ${file}, or what it builds, and commit`,
    lines,
  };
}

/** A RUN can be a page long; its beginning says which it is. */
const oneLine = (text: string): string => text.replace(/\s+/g, ' ').replace(/^(.{160}).+$/, '$1…');

const submoduleProblem = ({ name, component: { folder } }: KeyedComponent, submodules: readonly string[]): Problem => ({
  code: 'BUILD_FAILED',
  what: `${name} contains a git submodule`,
  why: `${submodules.map((each) => path.posix.join(folder, each)).join(', ')} names a commit of another repository, whose files are not in this commit`,
  safe: 'nothing that runs was touched',
  next: 'move its files into the repository, or give the component another repository in architecture.ts',
});
