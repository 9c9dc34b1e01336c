import { short } from '../../digest.ts';
import { done, failed } from '../../result.ts';
import { answer, answerJson, type CommandResult, placeOf, type Session, textOption } from '../command.ts';
import type { Source } from '../delivery.ts';
import { chooseSource } from '../dirty.ts';
import { progressReporter } from '../report/choose-reporter.ts';
import type { Reporter } from '../report/reporter.ts';
import { counted } from '../report/duration.ts';
import { commitWords } from '../report/words.ts';
import { rememberName } from '../subject.ts';

/** `build [commit]`: images, their tests, the release image. Starts nothing that stays. */
export async function run(session: Session): CommandResult {
  const delivery = await session.world.delivery();
  const chosen = await chooseSource(session, delivery);
  if (!chosen.ok) return chosen;
  session.interruption.safe = 'what runs was not touched; images that are finished are kept';
  const reporter = progressReporter(session.world);
  session.world.signal.addEventListener('abort', reporter.end, { once: true });
  try {
    const source = await delivery.evaluate({ place: placeOf(session), ...chosen.value, report: reporter.report });
    if (!source.ok) return source;
    return await buildAndClose(session, source.value, reporter);
  } finally {
    reporter.end();
  }
}

async function buildAndClose(session: Session, source: Source, reporter: Reporter): CommandResult {
  try {
    await rememberName(session, source.architecture.name);
    return await buildAll(session, source, reporter);
  } finally {
    await source.close();
  }
}

async function buildAll(session: Session, source: Source, reporter: Reporter): CommandResult {
  const planned = await source.plan();
  if (!planned.ok) return planned;
  const built = await source.build(planned.value);
  reporter.end();
  if (!built.ok) return built;
  const environment = textOption(session.input, 'environment') ?? 'local';
  const image = built.value[environment];
  if (image === undefined)
    return failed({
      code: 'UNKNOWN_ENVIRONMENT',
      what: `the architecture declares no environment ${environment}`,
      why: `it has ${Object.keys(built.value).join(', ')}`,
      next: 'name one of them with --environment',
    });
  const { release, evaluated, components } = planned.value;
  if (session.input.json) {
    const build = components.map(({ name, key, reused }) => ({ component: name, key, reused }));
    answerJson(session, { release, commit: evaluated.commit.id, environment, image: image.id, tag: image.tag, build });
  } else {
    const reused = components.filter((component) => component.reused).length;
    answer(
      session,
      `built  release ${short(release)} from ${commitWords(evaluated.commit.id)}: ${counted(components.length - reused, 'component')} built, ${reused} reused\n  ${image.tag}\n  changeless up ${short(release)}    runs it`,
    );
  }
  return done(0);
}
