import path from 'node:path';
import type { KeyPath } from '../architecture/key-path.ts';
import type { Architecture } from '../architecture/model.ts';
import type { Repository } from '../architecture/repository.ts';
import type { Finding, Problem, SourcePlace } from '../problem.ts';
import type { SealedSecrets } from '../release/manifest.ts';
import { usedVersions, type UsedVersion } from '../release/secret-references.ts';
import { done, failed, type Result } from '../result.ts';

/** The folder beside `architecture.ts` that holds encrypted values, and for whom they are encrypted. */
export const secretsFolder = 'secrets';
export const recipientsFile = `${secretsFolder}/recipients.txt`;

/** Where a version's value is, relative to the folder of `architecture.ts`. */
export const versionFile = (secret: string, version: number): string => `${secretsFolder}/${secret}/${version}.age`;

/** Where something of the architecture is written. */
export type Locate = (path: KeyPath) => Promise<SourcePlace | undefined>;

type Committed = { repository: Repository; tree: string; folder: string; architecture: Architecture; locate: Locate };

/** The encrypted values of all that is used, from the commit; undefined when nothing is. SECRET_MISSING names each that it does not hold. */
export async function readSecrets({
  repository,
  tree,
  folder,
  architecture,
  locate,
}: Committed): Promise<Result<SealedSecrets | undefined>> {
  const used = usedVersions(architecture);
  if (used.length === 0) return done(undefined);
  const read = async (each: UsedVersion): Promise<{ each: UsedVersion; sealed?: string }> => {
    const found = await repository.find(tree, path.posix.join(folder, versionFile(each.secret, each.version)));
    return found === undefined ? { each } : { each, sealed: new TextDecoder().decode(await repository.read(found.object)) };
  };
  const all = await Promise.all(used.map(read));
  const missing = all.filter(({ sealed }) => sealed === undefined);
  if (missing.length > 0)
    return failed(missingProblem(await Promise.all(distinct(missing).map((each) => findingOf(each, { architecture, folder, locate })))));
  const bySecret = Map.groupBy(all, ({ each }) => each.secret);
  return done(
    Object.fromEntries(
      [...bySecret].map(([secret, versions]) => [
        secret,
        Object.fromEntries(versions.map(({ each, sealed = '' }) => [String(each.version), sealed])),
      ]),
    ),
  );
}

const distinct = (all: readonly { each: UsedVersion }[]): UsedVersion[] => [
  ...new Map(all.map(({ each }) => [`${each.secret} ${each.version}`, each])).values(),
];

/** Where the version that an environment uses is written: in the environment, if it has its own. */
export const versionPath = (
  { environments }: Architecture,
  { secret, environment }: Pick<UsedVersion, 'secret' | 'environment'>,
): KeyPath =>
  environments[environment]?.secrets?.[secret]
    ? ['environments', environment, 'secrets', secret, 'version']
    : ['secrets', secret, 'version'];

async function findingOf(
  used: UsedVersion,
  { architecture, folder, locate }: Pick<Committed, 'architecture' | 'folder' | 'locate'>,
): Promise<Finding> {
  const place = await locate(versionPath(architecture, used));
  const file = path.posix.join(folder, versionFile(used.secret, used.version));
  return { ...(place && { place }), what: `secret ${used.secret} has no version ${used.version}: the commit holds no ${file}` };
}

const missingProblem = (findings: readonly Finding[]): Problem => ({
  code: 'SECRET_MISSING',
  what:
    findings.length === 1
      ? 'the commit does not hold the value of a secret'
      : `the commit does not hold the values of ${findings.length} secrets`,
  safe: 'nothing was built or changed',
  next: 'changeless secret add <name>    and commit the file it writes; or name a version that is there: changeless secret list',
  findings,
});
