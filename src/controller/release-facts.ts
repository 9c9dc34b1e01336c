import { jobsOf } from '../jobs/jobs-of.ts';
import type { ReleaseFacts } from '../release-facts.ts';
import { addressesOf } from '../release/addresses.ts';
import { resolveEnvironment } from '../release/resolve-environment.ts';
import type { Post } from './post.ts';

/** What is told of the release where there is no engine. */
export function factsOfPost({ manifest, environment }: Pick<Post, 'manifest' | 'environment'>): ReleaseFacts {
  const { architecture } = manifest.inputs;
  const resolved = resolveEnvironment(architecture, environment);
  return {
    architecture: architecture.name,
    jobs: jobsOf(architecture, environment),
    apps: resolved.ok ? addressesOf(resolved.value) : {},
  };
}
