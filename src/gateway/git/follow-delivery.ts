import type { RunId } from '../../digest.ts';
import { deliverJob } from '../../job-run.ts';
import type { DeliveryLook, StartedRun } from '../../ledger/delivery-look.ts';
import type { Timers } from '../../timers.ts';

/** Lines of a step's kept output, from a position on. */
export type KeptPart = { lines: readonly string[]; next: number };

export type FollowDelivery = (id: string, signal: AbortSignal) => AsyncIterable<readonly string[]>;

export type Following = {
  /** Undefined when no controller has taken it yet, or the ledger cannot be read just now. */
  look: (id: string) => DeliveryLook | undefined;
  kept: (run: RunId, step: string, from: number) => Promise<KeptPart>;
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
    yield ['the push is on disk'];
    const look = await taken(watch);
    if (signal.aborted) return;
    if (look === undefined) return yield ['no controller has taken it yet; changeless deliveries shows when one has'];
    const deploys = deployIn(look);
    const others = look.runs.filter((run) => run !== deploys);
    yield [`delivery ${look.number} is taken`, ...others.map((run) => `job ${run.job} runs: ${followWords(run.id)}`)];
    if (deploys === undefined) return yield ['it deploys nothing: this branch is not the one that is delivered'];
    yield [`run ${deploys.id} deploys it; Ctrl-C ends the watching, not the run`];
    yield* watchRun(watch, deploys);
  };

/** Of all that a push starts, what builds and runs its release. */
const deployIn = ({ runs }: DeliveryLook): StartedRun | undefined => runs.find(({ job }) => job === deliverJob);

type Watch = { following: Following; limits: FollowLimits; id: string; signal: AbortSignal; waitedMs: number };

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
  const places = new Map(steps.map((step) => [step, 0]));
  let lines = 0;
  let liveMs: number | undefined;
  for (;;) {
    // Looked at first: what was printed before the end is there when the end is.
    const look = watch.following.look(watch.id);
    const deploys = look && deployIn(look);
    for (const [step, from] of places) {
      const part = await watch.following.kept(id, step, from);
      places.set(step, part.next);
      lines += part.lines.length;
      if (part.lines.length > 0) yield part.lines;
    }
    if (deploys?.outcome !== undefined) return yield endWords(deploys);
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
