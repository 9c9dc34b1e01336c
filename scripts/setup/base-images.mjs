// Makes sure the two images the examples build on exist: pulled where a registry answers, else made here.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { makeDebianImage } from './debian-image.mjs';
import { makeNodeImage } from './node-image.mjs';
import { timed } from './progress.mjs';
import { pullImage } from './pull.mjs';

/** The names under which the examples, and everybody's Dockerfiles, know the two images. */
export const baseImageNames = { debian: 'debian:bookworm-slim', node: 'node:24-bookworm-slim' };

/** Makes sure both images exist under `names`; what is there already is left as it is. */
export async function ensureBaseImages(client, options = {}) {
  const { names = baseImageNames, pull = pullImage } = options;
  const missing = await missingNames(client, Object.values(names));
  if (missing.length === 0) return;
  for (const name of missing) if (!(await pull(client, name))) break;
  const unpulled = await missingNames(client, missing);
  if (unpulled.length > 0) await makeImages(client, names, unpulled);
}

async function makeImages(client, names, missing) {
  const folder = mkdtempSync(path.join(tmpdir(), 'changeless-bases-'));
  try {
    if (missing.includes(names.debian)) {
      await timed(`making ${names.debian} from Debian's packages`, () => makeDebianImage(client, names.debian, folder));
    }
    if (missing.includes(names.node)) {
      await timed(`making ${names.node} from ${names.debian} and the npm package of Node`, () =>
        makeNodeImage(client, { name: names.node, base: names.debian, folder }),
      );
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function missingNames(client, names) {
  const images = await Promise.all(names.map((name) => client.json('GET', `/images/${name}/json`)));
  return names.filter((_, index) => images[index] === undefined);
}
