import { mapBounded } from '../bounded.ts';
import { short, type ReleaseId } from '../digest.ts';
import { byCodeUnit } from '../canonical-json.ts';
import { done } from '../result.ts';
import { versionsIn } from '../secrets/secrets-folder.ts';
import { answer, answerJson, type CommandResult, type Session, textOption } from './command.ts';
import { findLive, manifestOf } from './live.ts';
import { releaseImages } from './releases.ts';
import { subjectOf } from './subject.ts';
import { usedVersions } from '../release/secret-references.ts';

type Listed = { name: string; versions: { version: number; inFolder: boolean; releases: ReleaseId[]; live: boolean }[] };

/** Names and versions that the folder holds, and which releases on the engine use them; an engine need not answer. */
export async function listSecrets(session: Session): CommandResult {
  const [inFolder, used] = await Promise.all([versionsIn(session.input.folder), usedByReleases(session)]);
  const names = [...new Set([...inFolder.keys(), ...used.map(({ secret }) => secret)])].toSorted(byCodeUnit);
  const listed = names.map((name): Listed => {
    const own = used.filter(({ secret }) => secret === name);
    const versions = [...new Set([...(inFolder.get(name) ?? []), ...own.map(({ version }) => version)])].toSorted((a, b) => a - b);
    return {
      name,
      versions: versions.map((version) => ({
        version,
        inFolder: inFolder.get(name)?.includes(version) ?? false,
        ...usersOf(own, version),
      })),
    };
  });
  if (session.input.json) answerJson(session, { secrets: listed });
  else answer(session, listed.length === 0 ? 'there are no secrets; changeless secret add <name>    makes one' : text(listed));
  return done(0);
}

type Use = { secret: string; version: number; release: ReleaseId; live: boolean };

const usersOf = (uses: readonly Use[], version: number): { releases: ReleaseId[]; live: boolean } => {
  const own = uses.filter((use) => use.version === version);
  return { releases: own.map(({ release }) => release), live: own.some(({ live }) => live) };
};

async function usedByReleases(session: Session): Promise<Use[]> {
  const subject = await subjectOf(session);
  if (!subject.ok) return [];
  const { engine, architecture } = subject.value;
  const live = await findLive(session.world, engine, architecture);
  const controller = live.ok ? live.value.live?.controller : undefined;
  const environment = textOption(session.input, 'environment') ?? controller?.environment ?? 'local';
  const images = (await releaseImages(engine, architecture)).filter((image) => image.environment === environment);
  const uses = await mapBounded(images, 8, async ({ image, release }) => {
    const manifest = await manifestOf(session.world, engine, image);
    const versions = manifest ? usedVersions(manifest.inputs.architecture, [environment]) : [];
    return versions.map(({ secret, version }): Use => ({ secret, version, release, live: release === controller?.release }));
  });
  return uses.flat();
}

function text(listed: readonly Listed[]): string {
  return listed
    .flatMap(({ name, versions }) => [
      name,
      ...versions.map(({ version, inFolder, releases, live }) => {
        const users = releases.length === 0 ? 'used by no release on the engine' : `used by release ${releases.map(short).join(', ')}`;
        return `  version ${version}  ${users}${live ? ', which is live' : ''}${inFolder ? '' : '; its file is not in this folder'}`;
      }),
    ])
    .join('\n');
}
