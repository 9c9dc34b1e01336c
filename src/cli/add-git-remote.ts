import { execFile } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { gatewayApp } from '../architecture/model.ts';
import type { Engine } from '../engine/engine.ts';
import { keysOf } from '../signature.ts';
import { resolveEnvironment, type ResolvedArchitecture } from '../release/resolve-environment.ts';
import { sealedValue } from '../release/secret-references.ts';
import type { Secret } from '../secret.ts';
import { addressesOf } from '../release/addresses.ts';
import type { Session } from './command.ts';
import { identityPlace } from './identity-place.ts';
import { manifestOf } from './live.ts';
import type { ReleaseImage } from './releases.ts';

export type Adding = { session: Session; engine: Engine; target: Pick<ReleaseImage, 'image' | 'environment'> };

/**
 * Adds the gateway's git remote to the repository the architecture is in, where its release has one and a key of this machine opens its
 * password; a line that says what came of it. May be repeated: the password is then the one that is right now. A remote of the same name
 * that is not ours stays as it is. Nothing that fails here is of the release, which is live.
 */
export async function addGitRemote({ session, engine, target }: Adding): Promise<string | undefined> {
  const manifest = await manifestOf(session.world, engine, target.image);
  const resolved = manifest && resolveEnvironment(manifest.inputs.architecture, target.environment);
  const remote = resolved?.ok ? remoteOf(resolved.value, target.environment) : undefined;
  if (!manifest || !remote) return undefined;
  const git = gitIn(session);
  const folder = (await git('rev-parse', '--path-format=absolute', '--git-common-dir'))?.trim();
  if (folder === undefined) return undefined;
  const [url, owner] = [await git('config', '--get', `remote.${remote.name}.url`), await git('config', '--get', ownerKey(remote))];
  if (url !== undefined && owner?.trim() !== remote.architecture)
    return `git: the remote ${remote.name} of this repository is another's, and was left alone; the gateway's is ${remote.url}`;
  const keys = await keysHere(session);
  if (keys.length === 0) return undefined;
  const { open } = await import('../secrets/age.ts');
  const password = await open(sealedValue(manifest.inputs.secrets, remote.secret), keys);
  if (password === undefined) return `git: no key of this machine opens secret ${remote.secret.secret}, so the remote was not added`;
  const file = path.join(folder, 'changeless', `${remote.name}.credentials`);
  await writePrivately(file, credentialOf(remote, password));
  for (const words of settingsOf(remote, file)) await git('config', ...words);
  return `git push ${remote.name} ${remote.branch}`;
}

type GitRemote = { name: string; url: string; architecture: string; branch: string; secret: { secret: string; version: number } };

function remoteOf(resolved: ResolvedArchitecture, environment: string): GitRemote | undefined {
  const git = resolved.apps[gatewayApp]?.gateway?.git;
  const [address] = addressesOf(resolved)[gatewayApp] ?? [];
  if (git === undefined || address === undefined) return undefined;
  return {
    name: environment === 'local' ? 'changeless' : `changeless-${environment}`,
    url: `${address}/git/${resolved.name}.git`,
    architecture: resolved.name,
    branch: resolved.deliver?.branch ?? 'main',
    secret: { secret: git.secret, version: resolved.secrets?.[git.secret]?.version ?? 0 },
  };
}

/** By it we know a remote for ours. */
const ownerKey = ({ name }: GitRemote): string => `remote.${name}.changeless`;

async function keysHere({ world, input }: Session): Promise<readonly Secret[]> {
  const { identitiesIn } = await import('../secrets/identities.ts');
  return (await identitiesIn(identityPlace(world, input))).keys;
}

/** Of several passwords the last: it is the one that stays when they are exchanged. */
function credentialOf({ url }: GitRemote, password: Secret): string {
  const [protocol, rest] = url.split('://');
  return `${protocol}://changeless:${encodeURIComponent(keysOf(password).at(-1) ?? '')}@${rest}\n`;
}

/** Nobody else ever can open it, not even while it is written. */
async function writePrivately(file: string, text: string): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
  await rm(file, { force: true });
  await writeFile(file, text, { mode: 0o600, flag: 'wx' });
}

/** The password is asked of git's own helper for files, and of no other, for this address alone: it is in no configuration and no command. */
function settingsOf(remote: GitRemote, file: string): string[][] {
  const { name, url, architecture } = remote;
  const helper = `store --file='${file.replaceAll("'", `'\\''`)}'`;
  return [
    ['--replace-all', `remote.${name}.url`, url.replace('://', '://changeless@')],
    ['--replace-all', `remote.${name}.fetch`, `+refs/heads/*:refs/remotes/${name}/*`],
    // It gives nothing, so that `git fetch --all` need not ask it.
    ['--replace-all', `remote.${name}.skipFetchAll`, 'true'],
    ['--replace-all', ownerKey(remote), architecture],
    ['--replace-all', `credential.${url}.helper`, ''],
    ['--add', `credential.${url}.helper`, helper],
  ];
}

/** What git says in the folder of the architecture; undefined where it refuses. */
const gitIn =
  ({ world, input }: Session) =>
  async (...words: string[]): Promise<string | undefined> => {
    try {
      const env = { ...world.env, GIT_TERMINAL_PROMPT: '0' };
      return (await promisify(execFile)('git', ['-C', input.folder, ...words], { env })).stdout;
    } catch {
      return undefined;
    }
  };
