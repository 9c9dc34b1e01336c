import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { done, failed, type Result } from '../../result.ts';
import { answer, answerJson, type CommandResult, placeOf, type Session, textOption } from '../command.ts';
import { copyTemplate, templateNames } from '../template.ts';
import { commitAll, ensureGitRepository } from '../first-commit.ts';
import { progressReporter } from '../report/choose-reporter.ts';

const defaultTemplate = 'hello';

/** `init [folder]`: an architecture that `up` can run at once, committed. */
export async function run(session: Session): CommandResult {
  const { world, input } = session;
  const folder = path.resolve(input.folder, input.arguments[0] ?? '.');
  const template = textOption(input, 'template') ?? defaultTemplate;
  const names = await templateNames(world);
  if (!names.includes(template)) return failed(unknownTemplate(template, names));
  const there = await contents(folder);
  if (there.length > 0) return failed(notEmpty(folder, there));
  session.interruption.safe = `${folder} may be incomplete; remove it and run init again`;
  await copyTemplate({ world, template, folder });
  await ensureGitRepository(world, folder);
  const committed = await lockAndCommit(session, folder);
  if (!committed.ok) return committed;
  if (input.json) answerJson(session, { folder, template, commit: committed.value });
  else answer(session, nextSteps(path.relative(world.cwd, folder) || '.', template, committed.value));
  return done(0);
}

async function lockAndCommit(session: Session, folder: string): Promise<Result<string>> {
  const { world } = session;
  const delivery = await world.delivery();
  const reporter = progressReporter(world);
  const locked = await delivery.lock({ ...placeOf(session), folder }, { update: false, report: reporter.report });
  reporter.end();
  // The files are written and whole; what is missing is said, and how to go on.
  if (!locked.ok)
    return failed({
      ...locked.problem,
      safe: `the files are in ${folder}, not locked and not committed yet`,
      next: `${locked.problem.next ?? 'put that right'}\nthen in ${folder}: changeless lock, and commit everything`,
    });
  return done(await commitAll(world, folder));
}

async function contents(folder: string): Promise<string[]> {
  return await readdir(folder).then(
    (names) => names.filter((name) => name !== '.git'),
    () => [],
  );
}

const unknownTemplate = (template: string, names: readonly string[]) => ({
  code: 'UNKNOWN_TEMPLATE' as const,
  what: `there is no example ${template}`,
  why: `there are ${names.join(', ')}`,
  safe: 'nothing was written',
  next: `changeless init --template ${names[0] ?? defaultTemplate}`,
});

const notEmpty = (folder: string, there: readonly string[]) => ({
  code: 'FOLDER_NOT_EMPTY' as const,
  what: `${folder} is not empty`,
  why: `it holds ${there.slice(0, 5).join(', ')}${there.length > 5 ? ` and ${there.length - 5} more` : ''}`,
  safe: 'nothing was written',
  next: 'name a folder that is empty or does not exist',
});

function nextSteps(folder: string, template: string, commit: string): string {
  const where = folder === '.' ? '' : ` -C ${folder}`;
  return [
    `made  ${folder} from example ${template}, commit ${commit.slice(0, 7)}`,
    '',
    'Next:',
    `  changeless up${where}      builds it and makes it live`,
    `  ${path.join(folder, 'architecture.ts')}    describes all of it`,
  ].join('\n');
}
