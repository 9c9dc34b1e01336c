import type { JobEnded } from '../events.ts';
import { withBuilder } from '../jobs/builder-images.ts';
import { runJobs } from '../jobs/run-jobs.ts';
import { runsAfter } from '../jobs/runs-of-push.ts';
import { taggedStepImages } from '../jobs/step-images.ts';
import { secretOpener } from '../secrets/open-secret.ts';
import type { Post } from './post.ts';
import { definitionsIn } from './runs-of-delivery.ts';

/**
 * Runs jobs beside all else that a controller in charge does, neither waiting for the other. `stop`: they run on, and are
 * whoever's comes next as soon as it resolves.
 */
export function beginJobs(post: Post, token: number): { stop(): Promise<void> } {
  const { logs, ledger, engine, manifest, journal, clock } = post;
  const definitions = definitionsIn(post);
  if (logs === undefined || !definitions) return { stop: async () => undefined };
  const { architecture } = definitions;
  const { name } = architecture;
  const abort = new AbortController();
  const end = (): void => abort.abort();
  if (post.signal.aborted) end();
  post.signal.addEventListener('abort', end, { once: true });
  const running = runJobs({
    hands: {
      engine,
      runs: ledger.runs,
      architecture: name,
      place: manifest.outputs.sandbox,
      images: withBuilder(taggedStepImages(engine.images, name), {
        images: engine.images,
        architecture,
        builder: manifest.outputs.builder,
      }),
      followersOf: (ended) => runsAfter(ended, definitions),
      openSecret: post.openSecret ?? secretOpener(async () => undefined),
      report: journal.report,
      async isTold(run) {
        await journal.flush();
        const told = await ledger.events({ type: 'job-ended', limit: 500 });
        return told.some((event) => (event as JobEnded).run === run.id);
      },
      flush: () => journal.flush(),
      now: () => clock().getTime(),
    },
    owner: post.self,
    logs: { folder: logs },
    definitions,
    mayTake: () => ledger.mayAct(token),
    wake: post.wake,
    timers: post.timers,
    signal: abort.signal,
  });
  return {
    async stop() {
      post.signal.removeEventListener('abort', end);
      end();
      await running;
    },
  };
}
