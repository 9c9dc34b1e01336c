import { short } from '../../digest.ts';
import type { Manifest } from '../../release/manifest.ts';
import { done } from '../../result.ts';
import { answer, answerJson, type CommandResult, type Session } from '../command.ts';
import { manifestOf } from '../live.ts';
import { namedRelease } from '../named-release.ts';
import type { ReleaseImage } from '../releases.ts';
import { commitWords } from '../report/words.ts';
import { subjectOf } from '../subject.ts';
import { takesInbox } from '../../release/takes-inbox.ts';

/** `show <release>`: what it holds, and the command that regenerates the architecture from it. */
export async function run(session: Session): CommandResult {
  const subject = await subjectOf(session);
  if (!subject.ok) return subject;
  const { engine, architecture } = subject.value;
  const named = await namedRelease({ session, engine, architecture }, session.input.arguments[0] ?? 'live');
  if (!named.ok) return named;
  const { release, commit, environment, image, tag } = named.value;
  const spec = { name: `controller.${release.slice(0, 8)}`, image, release, commit, environment, history: [] };
  const manifest = await manifestOf(session.world, engine, image);
  const mounted = manifest && {
    ...(manifest.inputs.secrets && { opensSecrets: true }),
    ...(takesInbox(manifest) && { takesInbox: true }),
  };
  const command = engine.controllerCommand(architecture, { ...spec, ...mounted }, tag);
  if (session.input.json)
    answerJson(session, {
      release,
      commit,
      environment,
      image,
      tag,
      run: command,
      components: manifest === undefined ? {} : componentsOf(manifest),
    });
  else answer(session, text({ named: named.value, command, manifest }));
  return done(0);
}

const componentsOf = ({ inputs, outputs }: Manifest) =>
  Object.fromEntries(
    Object.entries(inputs.components).map(([name, { key, folder }]) => [name, { key, folder, image: outputs.components[name] ?? null }]),
  );

function text({ named, command, manifest }: { named: ReleaseImage; command: string; manifest: Manifest | undefined }): string {
  const lines = [
    `release      ${named.release}`,
    `commit       ${named.commit === 'uncommitted' ? commitWords(named.commit) : named.commit}`,
    `environment  ${named.environment}`,
    `image        ${named.image}`,
    `tag          ${named.tag}`,
  ];
  const components = Object.entries(manifest === undefined ? {} : componentsOf(manifest));
  const width = Math.max(0, ...components.map(([name]) => name.length));
  if (components.length > 0)
    lines.push(
      'components',
      ...components.map(
        ([name, { key, image }]) => `  ${name.padEnd(width)}  key ${short(key)}  image ${image === null ? '-' : short(image)}`,
      ),
    );
  return [...lines, '', 'Run it by hand, on an engine that has nothing but the images:', `  ${command}`].join('\n');
}
