import { short } from '../digest.ts';
import type { ObservedRequest } from '../engine/engine.ts';
import type { HoldDecision } from '../ledger/ledger.ts';
import type { Problem } from '../problem.ts';
import { isJobRequest, isOfRelease } from '../request.ts';
import type { Manifest } from '../release/manifest.ts';
import type { Hold } from '../rollout/roll-out.ts';
import { recordOf, type Post } from './post.ts';
import { nothingToDo } from './refusal.ts';

/**
 * What becomes of a release that was started to be looked at first; undefined where it was not, or was let live already. The
 * decision is on record before it is acted on, so it holds when the controller is killed.
 */
export async function holdOf(post: Post, token: number): Promise<Hold | undefined> {
  const { holds } = await post.request;
  if (!holds) return undefined;
  const record = await recordOf(post, token);
  if (record?.decision === 'let-live') return undefined;
  if (record?.decision === 'drop') return async () => ({ dropped: dropped(post.manifest) });
  return async (observed) => {
    for (const asked of observed.requests) {
      // Served as soon as its app may be scaled; and jobs go on beside this.
      if (asked.request?.ask === 'scale' || isJobRequest(asked.request)) continue;
      const decision = await decide(post, token, asked);
      if (decision === 'let-live') return 'let-live';
      if (decision === 'drop') return { dropped: dropped(post.manifest) };
    }
    return 'wait';
  };
}

async function decide(post: Post, token: number, { name, request }: ObservedRequest): Promise<HoldDecision | undefined> {
  const { ledger, engine, journal, manifest, desired } = post;
  const isOurs = isOfRelease(request) && request.release === manifest.release;
  const decision = isOurs && request.ask !== 'go-back' ? request.ask : undefined;
  const isRecorded = decision ? await ledger.decide(token, decision) : await ledger.mayAct(token);
  if (!isRecorded) return undefined;
  if (!decision) journal.report({ type: 'request-refused', request: name, problem: nothingToDo(name) });
  await engine.takeRequest(desired.architecture, name);
  return decision;
}

const dropped = ({ release }: Manifest): Problem => ({
  code: 'RELEASE_DROPPED',
  what: `release ${short(release)} was dropped after a look at it`,
  next: 'changeless up --hold    to look at it again',
});
