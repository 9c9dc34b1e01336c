import path from 'node:path';
import { evaluateArchitecture, locatorOfCommit, type Evaluated as EvaluatedFiles } from '../architecture/evaluate.ts';
import type { EvaluationFile, Evaluator } from '../architecture/evaluation.ts';
import { type Lock, lockFile, parseLock } from '../architecture/lock.ts';
import { placeFindings } from '../architecture/place-findings.ts';
import { type Commit, insideOf, openRepository, type Repository } from '../architecture/repository.ts';
import type { KeyLocator } from '../architecture/validate.ts';
import type { Assets, BuildContext, Evaluated } from '../build/build-context.ts';
import { type BuildOptions, buildRelease } from '../build/build-release.ts';
import { buildComponents, type ComponentImages } from '../build/build-components.ts';
import { jobStepImages } from '../build/job-step-images.ts';
import { planRelease, type PlannedRelease } from '../build/plan-release.ts';
import { SetAside } from '../build/set-aside.ts';
import { ensureSystem } from '../build/system-build.ts';
import type { ImageId } from '../digest.ts';
import type { Engine } from '../engine/engine.ts';
import type { Report } from '../events.ts';
import { done, type Result } from '../result.ts';
import { type Locate, readSecrets } from '../secrets/read-secrets.ts';
import { type EvaluatorParts, inContainer } from './evaluator-parts.ts';
import type { BuiltImages, Delivery, Locked, Place, Source, SourceRequest, StepsToMake } from './delivery.ts';

/** `evaluator`: where architecture.ts is evaluated; by default in a container. `typeCheck`: false where no compiler is at hand. */
export type DeliverySetup = { assets: Assets; evaluator?: (parts: EvaluatorParts) => Evaluator; typeCheck?: boolean };

/** The delivery of an installed package. */
export function createDelivery(setup: DeliverySetup): Delivery {
  return {
    evaluate: (request) => evaluate(setup, request),
    changes,
    lock: (place, options) => lock(setup, place, options),
  };
}

async function changes({ folder }: Place): Promise<Result<{ changed: readonly string[]; head: Commit }>> {
  const repository = await openRepository(folder);
  if (!repository.ok) return repository;
  try {
    const head = await repository.value.resolve('HEAD');
    return head.ok ? done({ changed: await repository.value.changes(), head: head.value }) : head;
  } finally {
    await repository.value.close();
  }
}

type Opened = { engine: Engine; repository: Repository; folder: string };

async function open(place: Place): Promise<Result<Opened>> {
  const [engine, repository] = await Promise.all([place.engine(), openRepository(place.folder)]);
  if (!repository.ok) return repository;
  if (engine.ok)
    return done({ engine: engine.value, repository: repository.value, folder: await insideOf(repository.value, place.folder) });
  await repository.value.close();
  return engine;
}

async function evaluate(setup: DeliverySetup, request: SourceRequest): Promise<Result<Source>> {
  const opened = await open(request.place);
  if (!opened.ok) return opened;
  const source = await evaluateOpened(setup, request, opened.value);
  if (!source.ok) await opened.value.repository.close();
  return source;
}

async function evaluateOpened(setup: DeliverySetup, request: SourceRequest, opened: Opened): Promise<Result<Source>> {
  const { engine, repository, folder } = opened;
  const { cacheFolder, signal } = request.place;
  const commit = await (request.worktree ? repository.snapshot() : repository.resolve(request.revision));
  if (!commit.ok) return commit;
  const began = performance.now();
  const lock = () => readLock(repository, commit.value, folder);
  const evaluator = (setup.evaluator ?? inContainer)({ engine, assets: setup.assets, report: request.report, lock });
  const found = await evaluateArchitecture({ repository, commit: commit.value, folder, evaluator, cacheFolder });
  if (!found.ok) return found;
  const { architecture, cached } = found.value;
  request.report({ type: 'evaluated', commit: commit.value.id, cached, durationMs: Math.round(performance.now() - began) });
  const close = (): Promise<void> => repository.close();
  const context: BuildContext = { engine, repository, assets: setup.assets, report: request.report, cacheFolder };
  // Read and parsed when it is first asked: what is in order need not be found.
  let sources: Promise<KeyLocator> | undefined;
  const locator = (): Promise<KeyLocator> => (sources ??= locatorOfCommit({ repository, commit: commit.value, folder }));
  const locate: Locate = async (keyPath) => (await locator())(keyPath, 'value');
  const evaluated = async (): Promise<Result<Evaluated>> => {
    const locked = await lock();
    if (!locked.ok) return locked;
    const secrets = await readSecrets({ repository, tree: commit.value.tree, folder, architecture, locate });
    if (!secrets.ok) return secrets;
    return done({ architecture, commit: commit.value, folder, lock: locked.value, ...(secrets.value && { secrets: secrets.value }) });
  };
  return done({
    engine,
    architecture,
    commit: commit.value,
    locate,
    close,
    plan: async () => {
      const all = await evaluated();
      return all.ok ? planRelease(context, all.value) : all;
    },
    steps: (planned, run) => makeSteps(context, planned, { ...run, signal }),
    place: async (problem) => (problem.findings ? placeFindings(problem, await locator()) : problem),
    build: (planned, goesOn) => buildBesideTypes(setup, context, { planned, files: found.value.files, signal, ...(goesOn && { goesOn }) }),
  });
}

async function readLock(repository: Repository, commit: Commit, folder: string): Promise<Result<Lock>> {
  const file = path.posix.join(folder, lockFile);
  const found = await repository.find(commit.tree, file);
  return parseLock(found === undefined ? undefined : new TextDecoder().decode(await repository.read(found.object)), file);
}

type Building = Pick<BuildOptions, 'signal' | 'goesOn'> & { planned: PlannedRelease; files: EvaluatedFiles['files'] };

async function buildBesideTypes(
  { typeCheck = true }: DeliverySetup,
  context: BuildContext,
  { planned, files, ...options }: Building,
): Promise<Result<BuiltImages>> {
  const built = await buildRelease(context, planned, { ...options, ...(typeCheck && { types: typesOf(context, files) }) });
  return built.ok ? done(built.value.images) : built;
}

/** Agents of the run alone are built, of all components. */
async function makeSteps(
  context: BuildContext,
  planned: PlannedRelease,
  { signal, ...run }: StepsToMake & { signal: AbortSignal },
): Promise<Result<{ place: ImageId }>> {
  const { engine, repository, report } = context;
  const { platform, existing, system: plan, evaluated, inputs } = planned;
  const tagged = (tag: string): ImageId | undefined => existing.tagged(tag);
  const system = await ensureSystem({ images: engine.images, report }, { plan, platform, signal, tagged });
  if (!system.ok) return system;
  const wanted = new Set(run.steps.map(({ step }) => `${agentPrefix}${step.agent}`));
  const components = planned.components.filter(({ name }) => wanted.has(name));
  let images: ComponentImages = {};
  const setAside = new SetAside(inputs.architecture);
  const built = await buildComponents(context, { ...planned, components }, { signal, setAside, allBuilt: (all) => (images = all) });
  if (!built.ok) return built;
  const agents = Object.fromEntries(Object.entries(images).map(([name, image]) => [name.slice(agentPrefix.length), image]));
  const { id, tree } = evaluated.commit;
  const made = await jobStepImages({ images: engine.images, repository }, { ...run, commit: id, tree, agents });
  return made.ok ? done({ place: system.value.sandbox }) : made;
}

const agentPrefix = 'agent/';

async function typesOf({ repository, report, cacheFolder }: BuildContext, files: EvaluatedFiles['files']): Promise<Result<undefined>> {
  const { checkTypes } = await import('../architecture/type-check.ts');
  const checked = await checkTypes(await readFiles(repository, files), { cacheFolder });
  if (!checked.ok) return checked;
  report({ type: 'types-checked', ...checked.value });
  return done(undefined);
}

const readFiles = (repository: Repository, files: EvaluatedFiles['files']): Promise<EvaluationFile[]> =>
  Promise.all(
    files.map(async ({ path: file, object }) => ({ path: file, contents: new TextDecoder().decode(await repository.read(object)) })),
  );

async function lock(setup: DeliverySetup, place: Place, options: { update: boolean; report: Report }): Promise<Result<Locked>> {
  const opened = await open(place);
  if (!opened.ok) return opened;
  try {
    const { lockFolder } = await import('./lock-folder.ts');
    return await lockFolder({
      ...opened.value,
      assets: setup.assets,
      evaluator: setup.evaluator ?? inContainer,
      cacheFolder: place.cacheFolder,
      ...options,
    });
  } finally {
    await opened.value.repository.close();
  }
}
