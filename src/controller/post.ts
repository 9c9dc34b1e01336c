import type { ReleaseId } from '../digest.ts';
import type { Engine, Observation, ObservedController } from '../engine/engine.ts';
import type { RecordedEvent, UnitName } from '../events.ts';
import type { Inbox } from '../ledger/delivery.ts';
import type { Bell } from '../jobs/bell.ts';
import type { Http } from '../http.ts';
import type { Claim, Ledger, RolloutRecord } from '../ledger/ledger.ts';
import type { Manifest } from '../release/manifest.ts';
import type { Hands } from '../rollout/carry-out.ts';
import type { Desired } from '../rollout/desired.ts';
import type { Wake } from '../rollout/wake.ts';
import { done } from '../result.ts';
import { type OpenSecret, secretOpener } from '../secrets/open-secret.ts';
import { sharedLook } from '../shared-look.ts';
import type { Timers } from '../timers.ts';
import type { Journal } from './journal.ts';
import type { Succession } from './predecessors.ts';

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
  /** Opens secrets; none can be opened when left out. */
  openSecret?: OpenSecret;
  /** A folder for the output of jobs' steps, beside the ledger. No jobs are run when left out. */
  logs?: string;
  /** What gateways have taken; none where the release has no gateway. */
  inbox?: Inbox;
  /** How channels and the forge are reached; over the network when left out. */
  http?: Http;
  /** From 0 to less than 1. */
  random?: () => number;
};

/** A claim that was granted. */
export type Charge = Claim & { state: 'yours' };

/** All that a controller works with, from its start to its end. */
export type Post = ControllerRequest & {
  desired: Desired;
  journal: Journal;
  wake: Wake;
  /** Rung when something was written down. */
  bell: Bell;
  random: () => number;
  paceMs: number;
  clock: () => Date;
  timers: Timers;
  request: Promise<StartedFor>;
  /** What another release says in this environment; undefined where its image is gone or cannot be read. */
  releaseOf: (release: ReleaseId) => Promise<Desired | undefined>;
};

/** What this container was started for, as the engine has it; empty when the engine does not say. */
export type StartedFor = Pick<ObservedController, 'asked' | 'waits' | 'holds'>;

/** Says how a rollout ended, unless that is told: its controller was killed before it could, or another one ended it. */
export async function sayEnded({ ledger, journal }: Post, record: RolloutRecord): Promise<void> {
  const { release, commit, token, outcome, startedAt, endedAt, problem, held, asked } = record;
  if (!outcome || !endedAt) return;
  await journal.flush();
  const told = await ledger.events({ release, type: 'rollout-ended', limit: 50 });
  if (told.some((event) => event.type === 'rollout-ended' && event.token === token)) return;
  const durationMs = Date.parse(endedAt) - Date.parse(startedAt);
  journal.report({
    type: 'rollout-ended',
    release,
    commit,
    outcome,
    durationMs,
    token,
    ...(problem && { problem }),
    ...heldOf(held ?? []),
    ...(outcome === 'live' && asked === 'rollback' && { rolledBack: true }),
  });
}

export const recordOf = async ({ ledger }: Post, token: number): Promise<RolloutRecord | undefined> =>
  (await ledger.rollouts(50)).find((each) => each.token === token);

export const heldOf = (held: readonly UnitName[]) => (held.length > 0 ? { held } : {});

export const successionOf = ({ ledger, self }: Post, { engine, architecture, mayAct }: Hands): Succession => ({
  engine,
  ledger,
  architecture,
  self,
  mayAct,
});

export const handsOf = (post: Post, token: number): Hands => ({
  engine: post.engine,
  architecture: post.desired.architecture,
  ...departuresOf(post, token),
  openSecret: post.openSecret ?? secretOpener(async () => undefined),
  mayAct: async () => !post.signal.aborted && (await post.ledger.mayAct(token)),
  report: post.journal.report,
  now: () => post.clock().getTime(),
  lookMs: 1000,
  pauseMs: post.paceMs / 2,
});

/**
 * A look at the engine, with what is on record of those that were told to end, by this controller or by another. Read each time: another may
 * have been in charge in between, and this one not have noticed.
 */
const departuresOf = ({ engine, ledger, desired: { architecture } }: Post, token: number): Pick<Hands, 'observe' | 'letGo'> => ({
  observe: sharedLook(async () => {
    const observed = await engine.observe(architecture);
    return observed.ok ? done(marked(observed.value, await ledger.leaving())) : observed;
  }),
  letGo: (containers) => ledger.letGo(token, containers),
});

const marked = (observed: Observation, leaving: ReadonlySet<string>): Observation => ({
  ...observed,
  instances: observed.instances.map((instance) => (leaving.has(instance.container) ? { ...instance, leaves: true } : instance)),
});

/** Renews the lease until stopped, so that others see that its holder lives. */
export function holdLease({ ledger, paceMs, timers }: Post, token: number): { stop(): void } {
  const renew = (): void => {
    void ledger.renew(token);
    callOff = timers.after(paceMs, renew);
  };
  let callOff = timers.after(paceMs, renew);
  return { stop: () => callOff() };
}
