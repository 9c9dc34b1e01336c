import { answersApi } from '../release/takes-inbox.ts';
import { isTokenRequest, type Request } from '../request.ts';
import { doCommand } from './do-command.ts';
import type { Post } from './post.ts';
import { factsOfPost } from './release-facts.ts';
import { takeTokenRequests } from './take-token-requests.ts';

/** How often the ledger is looked at for commands when nothing was heard. */
const beatMs = 200;

/** Between two looks at the engine for requests that nobody heard of. */
const sweepBeats = 50;

/** Whether a request is served here, beside all else that a controller in charge does. */
export const isServedBeside = ({ manifest }: Pick<Post, 'manifest'>, request: Request | undefined): boolean =>
  answersApi(manifest) && isTokenRequest(request);

/**
 * Does what was asked of the API, in the order in which it was taken, also while a release is rolled out; and takes requests about
 * tokens. Each command ends once. One that was begun is gone on with by whoever comes next.
 */
export function serveCommands(post: Post, token: number): { stop(): Promise<void> } {
  if (!answersApi(post.manifest)) return { stop: async () => {} };
  const stopped = new AbortController();
  const ended = serveOn(post, token, AbortSignal.any([stopped.signal, post.signal]));
  return {
    stop() {
      stopped.abort();
      return ended;
    },
  };
}

async function serveOn(post: Post, token: number, signal: AbortSignal): Promise<void> {
  const wake = post.wake.fork(signal);
  await post.ledger.describe(post.manifest.release, post.environment, factsOfPost(post));
  let isNews = true;
  let after = 0;
  for (let round = 0; !signal.aborted; round += 1) {
    if (isNews || round % sweepBeats === 0) await takeTokenRequests(post, token);
    after = await doOpen(post, { token, signal }, after);
    isNews = await wake.next(beatMs);
  }
}

/** Commands up to that number are over. */
async function doOpen(post: Post, { token, signal }: { token: number; signal: AbortSignal }, after: number): Promise<number> {
  let over = after;
  for (const command of await post.ledger.openCommands(after)) {
    if (signal.aborted || !(await post.ledger.mayAct(token))) return over;
    if ((await doCommand(post, { token, command })) === 'later') return over;
    over = command.number;
  }
  return over;
}
