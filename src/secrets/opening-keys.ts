import type { Architecture } from '../architecture/model.ts';
import type { Finding, Problem } from '../problem.ts';
import type { SealedSecrets } from '../release/manifest.ts';
import { sealedValue, usedVersions, type UsedVersion } from '../release/secret-references.ts';
import { done, failed, type Result } from '../result.ts';
import type { Secret } from '../secret.ts';
import { open } from './age.ts';
import type { Identities } from './identities.ts';
import { type Locate, versionPath } from './read-secrets.ts';

/** What a release uses in an environment. */
export type Uses = { architecture: Architecture; secrets: SealedSecrets | undefined; environment: string };

/**
 * Those of the keys that are needed to open what the environment uses, and no others. IDENTITY_MISSING where there are none at
 * all, SECRET_UNREADABLE when they do not open everything; both say where what cannot be opened is written.
 */
export async function openingKeys(uses: Uses, { keys, exposed }: Identities, locate?: Locate): Promise<Result<Secret[]>> {
  const needed = new Set<Secret>();
  const closed: UsedVersion[] = [];
  for (const used of usedVersions(uses.architecture, [uses.environment])) {
    const key = await keyFor(sealedValue(uses.secrets, used), [...needed, ...keys]);
    if (key) needed.add(key);
    else closed.push(used);
  }
  if (closed.length === 0) return done([...needed]);
  const findings = await Promise.all(closed.map((used) => findingOf(used, uses.architecture, locate)));
  return failed({ ...problemOf(closed, { keys, exposed }), safe: 'nothing was built or changed', findings });
}

async function keyFor(sealed: string, keys: readonly Secret[]): Promise<Secret | undefined> {
  for (const key of keys) if (await open(sealed, [key])) return key;
  return undefined;
}

async function findingOf(used: UsedVersion, architecture: Architecture, locate: Locate | undefined): Promise<Finding> {
  const place = await locate?.(versionPath(architecture, used));
  return { ...(place && { place }), what: `version ${used.version} of secret ${used.secret} cannot be opened here` };
}

function problemOf([first]: readonly UsedVersion[], { keys, exposed }: Identities): Problem {
  const [file] = exposed;
  if (file !== undefined)
    return { code: 'IDENTITY_EXPOSED', what: `others may read ${file}, which holds a key to secrets`, next: `chmod 600 ${file}` };
  if (keys.length === 0)
    return {
      code: 'IDENTITY_MISSING',
      what: 'there is no key on this machine that opens the secrets of the release',
      next: 'get the identity file from who has it, and name it: --identity <file>, or CHANGELESS_IDENTITY',
    };
  return {
    code: 'SECRET_UNREADABLE',
    what: 'no key on this machine opens all secrets of the release',
    why: 'they were encrypted before a key of this machine was among the recipients, or a file is damaged',
    next: `changeless secret add ${first?.secret}    and name the new version in architecture.ts; or --identity <file> with the key they were encrypted for`,
  };
}
