import { short } from '../../digest.ts';
import { diffReleases } from '../../release/diff.ts';
import { describeDifference } from '../../release/difference.ts';
import type { Manifest } from '../../release/manifest.ts';
import { done, failed, type Result } from '../../result.ts';
import { answer, answerJson, type CommandResult, type Session, textOption } from '../command.ts';
import { manifestOf } from '../live.ts';
import { namedRelease, type Naming } from '../named-release.ts';
import { subjectOf } from '../subject.ts';

/** `diff <a> <b>`: in words. */
export async function run(session: Session): CommandResult {
  const subject = await subjectOf(session);
  if (!subject.ok) return subject;
  const naming = { session, ...subject.value };
  const [a = 'live', b = 'live'] = session.input.arguments;
  const [from, to] = await Promise.all([manifestNamed(naming, a), manifestNamed(naming, b)]);
  if (!from.ok) return from;
  if (!to.ok) return to;
  const differences = diffReleases(from.value.inputs, to.value.inputs, textOption(session.input, 'environment') ?? 'local');
  if (!differences.ok) return differences;
  const sentences = differences.value.map(describeDifference);
  if (session.input.json)
    answerJson(session, { from: from.value.release, to: to.value.release, differences: differences.value, sentences });
  else
    answer(
      session,
      [
        `${short(from.value.release)} -> ${short(to.value.release)}${sentences.length === 0 ? ': nothing differs' : ''}`,
        ...sentences.map((sentence) => `  ${sentence}`),
      ].join('\n'),
    );
  return done(0);
}

async function manifestNamed(naming: Naming, word: string): Promise<Result<Manifest>> {
  const named = await namedRelease(naming, word);
  if (!named.ok) return named;
  const manifest = await manifestOf(naming.session.world, naming.engine, named.value.image);
  if (manifest !== undefined) return done(manifest);
  return failed({
    code: 'UNKNOWN_RELEASE',
    what: `the image of release ${short(named.value.release)} holds no manifest`,
    next: 'changeless build    makes it again from its commit',
  });
}
