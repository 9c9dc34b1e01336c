// The set-up that `npm start` and `npm test` share; each step looks first and does only what is missing.
import { ensureBaseImages } from './base-images.mjs';
import { ensureProgram } from './debian.mjs';
import { ensureDependencies } from './dependencies.mjs';
import { ensureEngine } from './docker-engine.mjs';

/** Dependencies, git, a Docker Engine that answers, and the base images; gives a client of that engine. */
export async function setUp() {
  await ensureDependencies();
  await ensureProgram({ program: 'git', packages: ['git'], purpose: 'because releases are made from commits' });
  const client = await ensureEngine();
  await ensureBaseImages(client);
  return client;
}
