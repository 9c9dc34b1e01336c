import type { RunId } from '../../digest.ts';
import type { RunOutcome } from '../../job-run.ts';
import type { Problem } from '../../problem.ts';
import type { Timers } from '../../timers.ts';

/** A run of a job that a delivery started. `steps`: those whose output is kept, in their order. */
export type StartedRun = { id: RunId; job: string; outcome?: RunOutcome; problem?: Problem; steps: readonly string[] };

/** What the ledger knows of a delivery. `deploys`: its run that builds and runs the release. `isLive`: a release became live since. */
export type DeliveryLook = { number: number; deploys?: StartedRun; others: readonly StartedRun[]; isLive: boolean };

/** Lines of a step's kept output, from a place on; undefined is its start. */
export type KeptPart = { lines: readonly string[]; next: number | undefined };

export type FollowDelivery = (id: string, signal: AbortSignal) => AsyncIterable<readonly string[]>;

export type Following = {
  /** Undefined when no controller has taken it yet, or the ledger cannot be read just now. */
  look: (id: string) => DeliveryLook | undefined;
  kept: (run: RunId, step: string, from: number | undefined) => Promise<KeptPart>;
  /** This gateway is to end. */
  closing: AbortSignal;
  timers: Timers;
  limits?: FollowLimits;
};

/** `takenMs`: for a controller to take the delivery; `settledMs`: once the release is live, for the rest. */
export type FollowLimits = { lookMs: number; takenMs: number; settledMs: number; wholeMs: number; lines: number };

export const usualFollow: FollowLimits = { lookMs: 300, takenMs: 60_000, settledMs: 8000, wholeMs: 30 * 60_000, lines: 5000 };

/** Why nothing more is shown. */
type Leave = 'closing' | 'long' | 'lines' | 'live';

/**
 * What becomes of a delivery, as lines for whoever pushed it, up to its end or a limit; what ends is the watching and nothing else. It
 * ends itself a moment after the release is live: that may replace this very gateway, whose data path waits for open answers only up
 * to its drain limit, and then cuts them.
 */
export const followDelivery = (following: Following): FollowDelivery =>
  async function* follow(id, signal) {
    const watch = { following, limits: following.limits ?? usualFollow, id, signal, waitedMs: 0 };
    const look = await taken(watch);
    if (signal.aborted) return;
    if (look === undefined) return yield [`the push is on disk as delivery ${id.slice(0, 8)}, and no controller has taken it yet`, later()];
    const { deploys, others } = look;
    yield [`delivery ${look.number} is taken`, ...others.map((run) => `job ${run.job} runs: ${followWords(run.id)}`)];
    if (deploys === undefined) return yield ['it deploys nothing: no branch of this name is deployed here'];
    yield [`run ${deploys.id} deploys it; Ctrl-C ends the watching, not the run`];
    yield* watchRun(watch, deploys);
  };

type Watch = { following: Following; limits: FollowLimits; id: string; signal: AbortSignal; waitedMs: number };

const later = (): string => 'changeless deliveries    shows it when it is';

const followWords = (run: string): string => `changeless job logs ${run} --follow`;

async function taken(watch: Watch): Promise<DeliveryLook | undefined> {
  for (;;) {
    const look = watch.following.look(watch.id);
    if (look !== undefined || watch.signal.aborted || watch.following.closing.aborted) return look;
    if (watch.waitedMs >= watch.limits.takenMs) return undefined;
    await wait(watch);
  }
}

async function* watchRun(watch: Watch, { id, steps }: StartedRun): AsyncGenerator<readonly string[]> {
  const places = new Map<string, number | undefined>(steps.map((step) => [step, undefined]));
  let lines = 0;
  let liveMs: number | undefined;
  for (;;) {
    // Looked at first: what was printed before the end is there when the end is.
    const look = watch.following.look(watch.id);
    const isOver = look?.deploys?.outcome !== undefined;
    for (const [step, from] of places) {
      const part = await watch.following.kept(id, step, from);
      places.set(step, part.next);
      lines += part.lines.length;
      if (part.lines.length > 0) yield part.lines;
    }
    if (isOver && look.deploys) return yield endWords(look.deploys);
    if (look?.isLive) liveMs ??= watch.waitedMs;
    const leave = reasonToLeave(watch, { lines, liveMs });
    if (leave !== undefined) return yield leaveWords(leave, id);
    if (watch.signal.aborted) return;
    await wait(watch);
  }
}

function reasonToLeave(
  { following, limits, waitedMs }: Watch,
  { lines, liveMs }: { lines: number; liveMs: number | undefined },
): Leave | undefined {
  if (liveMs !== undefined && waitedMs - liveMs >= limits.settledMs) return 'live';
  if (following.closing.aborted) return liveMs === undefined ? 'closing' : 'live';
  if (lines >= limits.lines) return 'lines';
  return waitedMs >= limits.wholeMs ? 'long' : undefined;
}

const whyLeft: Readonly<Record<Leave, string>> = {
  live: 'the release is live; what is left of its rollout goes on',
  closing: 'the gateway that shows this is being replaced; the run goes on',
  lines: 'the run has printed more than is shown here, and goes on',
  long: 'the run takes longer than is waited for here, and goes on',
};

const leaveWords = (leave: Leave, run: RunId): string[] => [whyLeft[leave], followWords(run)];

function endWords({ id, outcome, problem }: StartedRun): string[] {
  if (outcome === 'passed') return [`deployed: run ${id} passed`];
  const said = problem ? [problem.what, problem.why, problem.safe, problem.next].filter((text) => text !== undefined) : [];
  return [`NOT deployed: run ${id} ended as ${outcome}; the push itself is accepted`, ...said];
}

function wait(watch: Watch): Promise<void> {
  const { following, limits, signal } = watch;
  watch.waitedMs += limits.lookMs;
  return new Promise((resolve) => {
    const settle = (): void => {
      callOff();
      signal.removeEventListener('abort', settle);
      following.closing.removeEventListener('abort', settle);
      resolve();
    };
    const callOff = following.timers.after(limits.lookMs, settle);
    signal.addEventListener('abort', settle, { once: true });
    following.closing.addEventListener('abort', settle, { once: true });
  });
}
