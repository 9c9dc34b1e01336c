import type { Architecture } from '../architecture/model.ts';
import type { Lock } from '../architecture/lock.ts';
import type { Commit, Repository } from '../architecture/repository.ts';
import type { Engine } from '../engine/engine.ts';
import type { Report } from '../events.ts';
import type { SealedSecrets } from '../release/manifest.ts';

/**
 * What Changeless itself brings along: `bundle` is the folder with the bundled programs that run in containers
 * (`controller.js`, `evaluator.js`), `proxy` the one with the proxy's Dockerfile, `git` the one with that of the builder's ground,
 * `package` the installed package, of which a builder gets what it needs to do the same.
 */
export type Assets = { version: string; bundle: string; proxy: string; git: string; package: string };

/** All that planning and building touch. */
export type BuildContext = {
  engine: Engine;
  repository: Repository;
  assets: Assets;
  report: Report;
  cacheFolder: string;
};

/** A commit's architecture. `folder`: where `architecture.ts` is, relative to the repository's top; empty at the top. `secrets`: left out where none is used. */
export type Evaluated = { architecture: Architecture; commit: Commit; folder: string; lock: Lock; secrets?: SealedSecrets };

/** What the keys of components follow from. */
export type KeysRequest = Pick<BuildContext, 'repository' | 'cacheFolder'> & { evaluated: Evaluated; platform: string };

/** Moves when Changeless builds another image from the same inputs. */
export const builder = 'changeless-1';
