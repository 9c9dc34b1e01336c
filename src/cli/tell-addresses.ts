import type { Engine } from '../engine/engine.ts';
import { resolveEnvironment } from '../release/resolve-environment.ts';
import { addressesOf } from '../release/addresses.ts';
import { addressLines } from './addresses.ts';
import { answer, type Session } from './command.ts';
import { manifestOf } from './live.ts';
import type { ReleaseImage } from './releases.ts';

export type Told = {
  session: Session;
  engine: Engine;
  target: Pick<ReleaseImage, 'image' | 'environment'>;
  headline: string;
  /** What is said of the git remote. */
  git: string | undefined;
};

/** The addresses of a release's apps and what to try next, on stdout. */
export async function tellAddresses({ session, engine, target, headline, git }: Told): Promise<void> {
  const manifest = await manifestOf(session.world, engine, target.image);
  const resolved = manifest === undefined ? undefined : resolveEnvironment(manifest.inputs.architecture, target.environment);
  const addresses = resolved?.ok === true ? addressesOf(resolved.value) : {};
  const folder = session.input.options['folder'];
  const where = typeof folder === 'string' ? ` -C ${folder}` : '';
  const [url] = Object.values(addresses).flat();
  const lines = [headline, ...addressLines(addresses), '', 'Next:'];
  if (url !== undefined) lines.push(`  curl ${url}`);
  lines.push(`  changeless status${where}`, `  change a file, commit it, and: changeless up${where}`);
  if (git !== undefined) lines.push(`  ${git}`);
  answer(session, lines.join('\n'));
}
