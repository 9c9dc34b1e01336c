import type { RecordedEvent, UnitName } from '../events.ts';
import type { Engine, Observation, ObservedController } from '../engine/engine.ts';
import { keepTrue } from '../drift/keep-true.ts';
import type { Claim, Ledger, RolloutRecord } from '../ledger/ledger.ts';
import type { Manifest } from '../release/manifest.ts';
import { failed, type Result, done } from '../result.ts';
import { unitName, type Hands } from '../rollout/carry-out.ts';
import { desiredOf, type Desired } from '../rollout/desired.ts';
import { outfit } from '../rollout/outfit.ts';
import { withHeldBack } from '../rollout/kept-unit.ts';
import { rollOutRelease } from '../rollout/roll-out-release.ts';
import { watchEngine, type Wake } from '../rollout/wake.ts';
import { realTimers, type Timers } from '../timers.ts';
import { openJournal, type Journal } from './journal.ts';
import { removeLeftovers } from './leftover-controllers.ts';
import { removePredecessors, type Succession } from './predecessors.ts';
import { refusal } from './refusal.ts';
import { unjudged, type Unjudged } from './unjudged.ts';

/** `self`: the engine's id of the container this runs in. `paceMs`: how often the lease is renewed and looked at. */
export type ControllerRequest = {
  engine: Engine;
  ledger: Ledger;
  manifest: Manifest;
  environment: string;
  self: string;
  print: (event: RecordedEvent) => void;
  signal: AbortSignal;
  paceMs?: number;
  clock?: () => Date;
  timers?: Timers;
};

/** A lease not renewed for this long is nobody's. */
const leaseMs = 10_000;

type Charge = Claim & { state: 'yours' };

type Aside = Exclude<Claim, Charge> | Unjudged;

type Post = ControllerRequest & {
  desired: Desired;
  journal: Journal;
  wake: Wake;
  paceMs: number;
  clock: () => Date;
  timers: Timers;
  request: Promise<Request>;
};

/** What this container was started for, as the engine has it; empty when the engine does not say. */
type Request = Pick<ObservedController, 'asked' | 'waits'>;

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
  const journal = openJournal(request.ledger, request.print, clock);
  journal.report({ type: 'controller-started', release: manifest.release, container: self });
  const post: Post = { ...request, desired: desired.value, journal, wake, clock, timers, request: asked, paceMs: request.paceMs ?? 1000 };
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
  while (!post.signal.aborted) {
    const claim = (await unjudged(post)) ?? (await claimFor(post, request));
    if (claim.state === 'yours') await takeCharge(post, claim);
    else if (said !== claim.state) await sayAside(post, claim);
    said = claim.state === 'yours' ? undefined : claim.state;
    // Who was refused has told its caller so; it must not begin later, when nobody expects it.
    if (claim.state === 'held' || claim.state === 'quarantined') await aborted(post.signal);
    else if (claim.state !== 'yours') await pause(post.paceMs / 4, post);
  }
}

const claimFor = (post: Post, { asked, waits }: Request): Promise<Claim> =>
  post.ledger.claim({
    release: post.manifest.release,
    commit: post.manifest.inputs.source.commit,
    environment: post.environment,
    controller: post.self,
    leaseMs,
    ...(asked && { asked }),
    ...(waits && { waits }),
  });

async function requestOf({ engine, manifest, self }: ControllerRequest): Promise<Request> {
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

async function takeCharge(post: Post, claim: Charge): Promise<void> {
  const { journal, manifest, signal } = post;
  const lease = holdLease(post, claim.token);
  const hands = handsOf(post, claim.token);
  try {
    const desired = claim.outcome === 'live' ? await resumeLive(post, claim.token, hands) : await roll(post, claim, hands);
    if (desired === undefined) return;
    journal.report({ type: 'controller-in-charge', release: manifest.release, token: claim.token });
    const tend = (): Promise<void> => removeLeftovers({ ...successionOf(post, hands), now: hands.now() });
    await keepTrue({ desired, token: claim.token, hands, wake: post.wake, signal, tend });
  } finally {
    lease.stop();
  }
}

/** What a release that is live is to be kept as. */
async function resumeLive(post: Post, token: number, hands: Hands): Promise<Desired> {
  await removePredecessors(successionOf(post, hands));
  const rollout = (await post.ledger.rollouts(50)).find((each) => each.token === token);
  if (rollout) await sayEnded(post, rollout);
  return withHeldBack(post.engine, post.desired, rollout?.held ?? []);
}

/** Says how a rollout ended, unless that is told: its controller was killed before it could, or another one ended it. */
async function sayEnded({ ledger, journal, manifest }: Post, record: RolloutRecord): Promise<void> {
  const { release, inputs } = manifest;
  const { token, outcome, startedAt, endedAt, problem, held } = record;
  if (!outcome || !endedAt) return;
  await journal.flush();
  const told = await ledger.events({ release, type: 'rollout-ended', limit: 50 });
  if (told.some((event) => event.type === 'rollout-ended' && event.token === token)) return;
  const durationMs = Date.parse(endedAt) - Date.parse(startedAt);
  journal.report({
    type: 'rollout-ended',
    release,
    commit: inputs.source.commit,
    outcome,
    durationMs,
    token,
    ...(problem && { problem }),
    ...heldOf(held ?? []),
  });
}

const heldOf = (held: readonly UnitName[]) => (held.length > 0 ? { held } : {});

const successionOf = ({ ledger, self }: Post, { engine, architecture, mayAct }: Hands): Succession => ({
  engine,
  ledger,
  architecture,
  self,
  mayAct,
});

const handsOf = (post: Post, token: number): Hands => ({
  engine: post.engine,
  architecture: post.desired.architecture,
  mayAct: async () => !post.signal.aborted && (await post.ledger.mayAct(token)),
  report: post.journal.report,
  now: () => post.clock().getTime(),
  lookMs: 1000,
  pauseMs: post.paceMs / 2,
});

/** What the release is to be kept as once it is live; undefined when it did not come to be. */
async function roll(post: Post, claim: Charge, hands: Hands): Promise<Desired | undefined> {
  const { manifest, journal, ledger, desired } = post;
  const { release, inputs } = manifest;
  const began = hands.now();
  const begin = (observed: Observation): void => announce(post, claim, observed);
  let cut = 0;
  const counted: Hands = {
    ...hands,
    report(event) {
      if (event.type === 'unit-retired') cut += event.cut ?? 0;
      hands.report(event);
    },
  };
  const end = await rollOutRelease({ desired, token: claim.token, release, from: claim.from, hands: counted, wake: post.wake, begin });
  if (end.outcome === 'overtaken') return undefined;
  const more = { ...(end.problem && { problem: end.problem }), ...(end.outcome === 'live' && heldOf(end.held)) };
  await journal.flush();
  if (!(await ledger.end(claim.token, { outcome: end.outcome, ...more }))) return undefined;
  if (end.outcome === 'live') await removePredecessors(successionOf(post, hands));
  journal.report({
    type: 'rollout-ended',
    release,
    commit: inputs.source.commit,
    outcome: end.outcome,
    durationMs: hands.now() - began,
    token: claim.token,
    ...(cut > 0 && { cut }),
    ...more,
  });
  return end.outcome === 'live' ? end.desired : undefined;
}

/** What this rollout replaces and keeps, seen from what serves as it begins. */
function announce({ desired, journal, manifest, environment }: Post, { token, from }: Charge, observed: Observation): void {
  const outfits = desired.units.map((unit) => outfit(unit, observed, token));
  const names = (live: boolean): UnitName[] =>
    outfits.filter((one) => (one.live !== undefined) === live).map(({ unit }) => unitName(unit.owner));
  journal.report({
    type: 'rollout-started',
    release: manifest.release,
    commit: manifest.inputs.source.commit,
    environment,
    ...(from && { from }),
    token,
    replace: names(false),
    keep: names(true),
  });
}

/** Renews the lease until stopped, so that others see that its holder lives. */
function holdLease({ ledger, paceMs, timers }: Post, token: number): { stop(): void } {
  const renew = (): void => {
    void ledger.renew(token);
    callOff = timers.after(paceMs, renew);
  };
  let callOff = timers.after(paceMs, renew);
  return { stop: () => callOff() };
}

/** Resolves after `ms`, or as soon as the signal is aborted. */
function pause(ms: number, { signal, timers }: Post): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const end = (): void => {
      callOff();
      signal.removeEventListener('abort', end);
      resolve();
    };
    const callOff = timers.after(ms, end);
    signal.addEventListener('abort', end);
  });
}

const aborted = (signal: AbortSignal): Promise<void> =>
  signal.aborted ? Promise.resolve() : new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
