import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { fetchPushed, takeOwn } from '../../architecture/fetch-pushed.ts';
import { openRepository } from '../../architecture/repository.ts';
import { credentialsFor } from '../../architecture/repository-credentials.ts';
import { jobStepImages } from '../../build/job-step-images.ts';
import { taskPath, type BuilderOrigin, type BuilderTask } from '../../builder-task.ts';
import { builderFolder } from '../../engine/job-steps.ts';
import { gitFolder, gitRepository } from '../../kept-volumes.ts';
import { done, type Result } from '../../result.ts';
import type { CommandResult, Session } from '../command.ts';
import { installedDelivery } from '../installed-delivery.ts';
import { run as up } from './up.ts';

/** `builder`: what a step of the builder runs. Fetches the commit it was told, and runs its release or makes images of steps. */
export async function run(session: Session): CommandResult {
  const task = JSON.parse(await readFile(taskPath, 'utf8')) as BuilderTask;
  // Its image holds no compiler: types are checked where architecture.ts is written.
  const delivery = async () => installedDelivery(session.world.packageFolder, { typeCheck: false });
  return build({ ...session, world: { ...session.world, delivery } }, task, builderFolder);
}

/** `home`: where it keeps what it has fetched. */
export async function build(session: Session, task: BuilderTask, home: string): CommandResult {
  const { commit, origin } = task;
  const { branch, repository } = origin;
  session.world.stderr.write(`fetching  commit ${commit.slice(0, 12)} of ${branch} from ${repository ?? 'what was pushed here'}\n`);
  const folder =
    repository === undefined
      ? await takeOwn({ repository: `${gitFolder}/${gitRepository}`, commit, cacheFolder: home })
      : await fetchPushed({
          address: repository,
          branch,
          commit,
          reference: `fetched/${session.world.random(16)}`,
          cacheFolder: home,
          credentials: await credentialsOf({ repository, ...origin }, home),
        });
  if (!folder.ok) return folder;
  return task.do === 'deliver' ? deliver(session, task, folder.value) : prepare(session, task, folder.value);
}

/** Where a step finds its secrets. */
const secretsFolder = '/run/secrets';

async function credentialsOf(
  { repository, secret }: BuilderOrigin & { repository: string },
  home: string,
): Promise<Record<string, string>> {
  if (secret === undefined) return {};
  const keyFile = path.join(secretsFolder, secret);
  return credentialsFor(repository, { secret: (await readFile(keyFile, 'utf8')).trim(), keyFile, home });
}

/** What `up` does for a commit that somebody names, of a clone that has no working folder. */
async function deliver(session: Session, { commit, origin, environment }: BuilderTask & { do: 'deliver' }, clone: string): CommandResult {
  const folder = path.join(clone, origin.folder);
  await mkdir(folder, { recursive: true });
  // So that it cannot be taken for the beginning of a release's id.
  const revision = `${commit}^0`;
  return up({ ...session, input: { arguments: [revision], options: { environment, wait: true }, json: false, folder } });
}

async function prepare(
  session: Session,
  { architecture, commit, origin, run: id, job, parameters, prepare: { steps, agents } }: BuilderTask & { do: 'prepare' },
  clone: string,
): Promise<Result<number>> {
  const [engine, opened] = await Promise.all([session.world.engine(), openRepository(clone)]);
  if (!opened.ok) return opened;
  try {
    if (!engine.ok) return engine;
    const found = await opened.value.resolve(commit);
    if (!found.ok) return found;
    const { tree } = found.value;
    const context = { images: engine.value.images, repository: opened.value };
    const made = await jobStepImages(context, {
      architecture,
      run: id,
      job,
      commit,
      tree,
      branch: origin.branch,
      parameters,
      steps,
      agents,
    });
    if (!made.ok) return made;
    session.world.stderr.write(`prepared  ${steps.length} ${steps.length === 1 ? 'step' : 'steps'} of run ${id}\n`);
    return done(0);
  } finally {
    await opened.value.close();
  }
}
