import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type Certified, makeAuthority } from '../certificates/issue.ts';
import { done, failed, type Result } from '../result.ts';
import { Secret } from '../secret.ts';
import type { World } from './world.ts';

/** This user's authority for names below `localhost`; made when it is first asked for. `file`: its certificate, to be trusted. */
export async function ownAuthority(world: World): Promise<Result<Certified & { file: string; made: boolean }>> {
  const folder = path.join(world.configFolder, 'authority');
  const [file, keyFile] = [path.join(folder, 'certificate.pem'), path.join(folder, 'key.pem')];
  const there = await stat(keyFile).catch(() => undefined);
  if (there !== undefined && (there.mode & 0o077) !== 0) return failed(exposed(keyFile));
  if (there !== undefined)
    return done({ certificate: await readFile(file, 'utf8'), key: new Secret(await readFile(keyFile)), file, made: false });
  const made = await makeAuthority(`Changeless ${world.random(8)}, names below localhost`, new Date(world.clock()));
  await mkdir(folder, { recursive: true, mode: 0o700 });
  // The key last: where it is, all is.
  await writeFile(file, made.certificate);
  await writeFile(keyFile, made.key.reveal(), { mode: 0o600, flag: 'wx' });
  return done({ ...made, file, made: true });
}

const exposed = (file: string) => ({
  code: 'IDENTITY_EXPOSED' as const,
  what: `others may read ${file}, the key of the authority that this machine trusts for names below localhost`,
  safe: 'nothing was written',
  next: `chmod 600 ${file}`,
});
