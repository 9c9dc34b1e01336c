import type { Engine } from '../engine/engine.ts';
import { done, failed, type Result } from '../result.ts';

/** The engine of this machine. Whether it answers shows with the first question. */
export async function openEngine(): Promise<Result<Engine>> {
  const { openDockerEngine } = await import('../engine/docker/docker-engine.ts');
  try {
    return done(openDockerEngine());
  } catch (thrown) {
    if (!(thrown instanceof TypeError)) throw thrown;
    return failed({
      code: 'ENGINE_ABSENT',
      what: 'DOCKER_HOST does not name an engine',
      why: thrown.message,
      safe: 'nothing was changed',
      next: 'correct DOCKER_HOST, or unset it to use the engine of this machine',
    });
  }
}
