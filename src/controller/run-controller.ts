import type { Engine } from '../engine/engine.ts';
import { Bell } from '../jobs/bell.ts';
import type { Claim } from '../ledger/ledger.ts';
import { failed, type Result, done } from '../result.ts';
import { desiredOf } from '../rollout/desired.ts';
import { releaseReader } from '../rollout/release-on-engine.ts';
import { watchEngine, type Wake } from '../rollout/wake.ts';
import { realTimers, type Timers } from '../timers.ts';
import { endAbandoned } from './end-abandoned.ts';
import { takeCharge } from './in-charge.ts';
import { openJournal } from './journal.ts';
import { pause } from './pause.ts';
import { sayEnded, type Charge, type ControllerRequest, type Post, type StartedFor } from './post.ts';
import { refusal } from './refusal.ts';
import { unjudged, type Unjudged } from './unjudged.ts';

/** A lease not renewed for this long is nobody's. */
const leaseMs = 10_000;

/** How often who stands by looks whether whom it stands by for is still there. */
const roundsBetweenLooks = 8;

type Aside = Exclude<Claim, Charge> | Unjudged;

/**
 * The process in a release image. It claims its rollout and carries it out, then keeps the engine as the release says
 * until another release takes over; then it stands by, and comes back should that one fail:
 *
 *     claim ─> yours ─> rolling out ─live─> keeping true ─overtaken─> standing by ─(the other failed)─> keeping true
 *        ├──> waiting ─(the other ended)─> claim, or over when a newer one waits
 *        ├──> held / quarantined / over (its rollout failed) ─> idle until removed
 *        ├──> unjudged ─(the other controller is removed)─> claim
 *        └──> standby
 *
 * Resolves when the signal is aborted. A problem comes back only when it cannot begin at all.
 */
export async function runController(request: ControllerRequest): Promise<Result<void>> {
  const { engine, manifest, environment, self, signal, timers = realTimers } = request;
  const wake = attend(engine, manifest.inputs.architecture.name, timers);
  signal.addEventListener('abort', () => wake.stop(), { once: true });
  const asked = requestOf(request);
  const desired = desiredOf(manifest, environment);
  if (!desired.ok) {
    wake.stop();
    return failed(desired.problem);
  }
  const clock = request.clock ?? (() => new Date());
  const bell = new Bell(timers);
  const journal = openJournal(request.ledger, request.print, { clock, onWritten: () => bell.ring() });
  journal.report({ type: 'controller-started', release: manifest.release, container: self });
  const releaseOf = releaseReader(engine, { architecture: desired.value.architecture, environment });
  const paceMs = request.paceMs ?? 1000;
  const random = request.random ?? Math.random;
  const own = { journal, wake, bell, random, clock, timers, paceMs, releaseOf };
  const post: Post = { ...request, ...own, desired: desired.value, request: asked };
  await act(post);
  await journal.flush();
  return done(undefined);
}

/** Listens to the engine, and looks at it once while there is other work: the first look that counts has less to ask then. */
function attend(engine: Engine, architecture: string, timers: Timers): Wake {
  let looked = false;
  const onEvent = (): void => {
    if (!looked) void engine.observe(architecture);
    looked = true;
  };
  return watchEngine(engine, architecture, { onEvent, timers });
}

async function act(post: Post): Promise<void> {
  let said: Aside['state'] | undefined;
  const request = await post.request;
  for (let round = 0; !post.signal.aborted; round += 1) {
    const claim = (await unjudged(post)) ?? (await claimFor(post, request));
    if (claim.state === 'standby' && round % roundsBetweenLooks === 0 && (await endAbandoned(post, claim.holder))) continue;
    if (claim.state === 'yours') await takeCharge(post, claim);
    else if (said !== claim.state) await sayAside(post, claim);
    said = claim.state === 'yours' ? undefined : claim.state;
    // Who was refused has told its caller so; it must not begin later, when nobody expects it.
    if (claim.state === 'held' || claim.state === 'quarantined') await aborted(post.signal);
    else if (claim.state !== 'yours') await pause(post.paceMs / 4, post);
  }
}

const claimFor = (post: Post, { asked, waits, holds }: StartedFor): Promise<Claim> =>
  post.ledger.claim({
    release: post.manifest.release,
    commit: post.manifest.inputs.source.commit,
    environment: post.environment,
    controller: post.self,
    leaseMs,
    ...(asked && { asked }),
    ...(waits && { waits }),
    // Where apps are independent, one that never becomes healthy must not delay the next commit's correction of another.
    ...(post.desired.independent && !holds && { yields: true }),
  });

async function requestOf({ engine, manifest, self }: ControllerRequest): Promise<StartedFor> {
  const controllers = await engine.controllers(manifest.inputs.architecture.name);
  return (controllers.ok && controllers.value.find(({ container }) => container === self)) || {};
}

/** Says once why this controller does nothing. */
async function sayAside(post: Post, aside: Aside): Promise<void> {
  const { journal, manifest } = post;
  const { release, inputs } = manifest;
  if (aside.state === 'over') await sayEnded(post, aside.record);
  if (aside.state === 'waiting') journal.report({ type: 'rollout-waiting', release, for: aside.holder.release });
  if (aside.state === 'standby') journal.report({ type: 'controller-standing-by', release, for: aside.holder.release });
  const problem = refusal(manifest, aside);
  if (problem) journal.report({ type: 'rollout-ended', release, commit: inputs.source.commit, outcome: 'failed', durationMs: 0, problem });
}

const aborted = (signal: AbortSignal): Promise<void> =>
  signal.aborted ? Promise.resolve() : new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
