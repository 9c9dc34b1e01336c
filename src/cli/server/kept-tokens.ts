import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { failed, done, type Result } from '../../result.ts';
import { Secret } from '../../secret.ts';
import type { World } from '../world.ts';

const fileOf = ({ configFolder }: Pick<World, 'configFolder'>): string => path.join(configFolder, 'servers.json');

/** The token for a server: of CHANGELESS_TOKEN, or what `login` has kept for that very address. */
export async function tokenFor(world: Pick<World, 'configFolder' | 'env'>, { origin }: URL): Promise<Result<Secret>> {
  const said = world.env['CHANGELESS_TOKEN'] ?? '';
  const token = said === '' ? (await keptTokens(world))[origin] : said;
  if (token !== undefined) return done(new Secret(token.trim()));
  return failed({
    code: 'TOKEN_REFUSED',
    what: `there is no token for ${origin}`,
    safe: 'nothing was asked',
    next: `changeless login ${origin}, or CHANGELESS_TOKEN`,
  });
}

/** Keeps a token for a server, where nobody else can read it; the one before it is forgotten. */
export async function keepToken(world: Pick<World, 'configFolder'>, { origin }: URL, token: Secret): Promise<void> {
  const tokens = { ...(await keptTokens(world)), [origin]: token.revealText() };
  const file = fileOf(world);
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
  await writeFile(`${file}.new`, `${JSON.stringify(tokens, null, 2)}\n`, { mode: 0o600 });
  // One that was left there may have another mode.
  await chmod(`${file}.new`, 0o600);
  await rename(`${file}.new`, file);
}

async function keptTokens(world: Pick<World, 'configFolder'>): Promise<Record<string, string>> {
  const text = await readFile(fileOf(world), 'utf8').catch(() => '{}');
  try {
    return JSON.parse(text) as Record<string, string>;
  } catch {
    return {};
  }
}
