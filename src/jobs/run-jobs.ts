import type { RunId } from '../digest.ts';
import type { OwnedRun } from '../ledger/job-runs.ts';
import type { Wake } from '../rollout/wake.ts';
import { carryRun } from './carry-run.ts';
import { forgetLogs } from './kept-log.ts';
import { takeJobRequests } from './take-requests.ts';
import { type Jobs, Workplace } from './workplace.ts';

/** A run that was not renewed for this long is anybody's. */
export const leaseMs = 2000;

const renewMs = 500;

/** How soon a run is noticed that was accepted by somebody else, or is nobody's any more. */
const beatMs = 500;

/** Between two looks for what nobody has an eye on. */
const sweepBeats = 20;

/** Of so many runs the output is kept. */
const keptRuns = 200;

type Carried = { owned: OwnedRun; abort: AbortController; done: Promise<void> };

/**
 * Serves what is asked of jobs, takes every run that is nobody's, and carries each on until it is closed or somebody else's. When the
 * signal is aborted it gives them up as they are: steps run on, and whoever comes next adopts them.
 */
export async function runJobs(jobs: Jobs): Promise<void> {
  const { hands, owner, wake, signal } = jobs;
  const workplace = new Workplace(jobs);
  const carried = new Map<RunId, Carried>();
  const lease = keepLeases(jobs, carried);
  const heard = new AbortController();
  let isNews = true;
  const onNews = (): void => {
    isNews = true;
    workplace.bell.ring();
  };
  void passOn(wake, onNews, AbortSignal.any([signal, heard.signal]));
  signal.addEventListener('abort', () => workplace.bell.ring(), { once: true });
  const next = workplace.bell.listen();
  try {
    for (let round = 0; !signal.aborted; round += 1) {
      const isSweep = round % sweepBeats === 0;
      if (isSweep) await sweep(jobs);
      // A request is an event of the engine: without any there is none, and the engine is not asked twice a second.
      const asks = isSweep || isNews;
      isNews = false;
      if (asks && !(await takeJobRequests(jobs))) isNews = true;
      const claimed = await hands.runs.claim({ owner, leaseMs, held: [...carried.keys()] });
      for (const run of claimed)
        carried.set(
          run.id,
          begin(workplace, run, () => carried.delete(run.id)),
        );
      await next(beatMs);
    }
  } finally {
    heard.abort();
    for (const { abort } of carried.values()) abort.abort();
    const left = [...carried.values()];
    await Promise.all(left.map(({ done }) => done));
    lease.stop();
    await hands.runs.release(left.map(({ owned }) => owned));
  }
}

function begin(workplace: Workplace, owned: OwnedRun, forget: () => void): Carried {
  const abort = new AbortController();
  const { hands, logs } = workplace.jobs;
  abort.signal.addEventListener('abort', () => workplace.bell.ring(), { once: true });
  const done = carryRun(workplace, { id: owned.id, token: owned.token }, abort.signal);
  const left = async (): Promise<void> => {
    await done;
    workplace.leave(owned.id);
    forget();
    workplace.bell.ring();
    const recent = await hands.runs.list({ limit: keptRuns });
    if (recent.length === keptRuns) await forgetLogs(logs, new Set(recent.map(({ id }) => id)));
  };
  return { owned: { id: owned.id, token: owned.token }, abort, done: left() };
}

/** An owner that was paused may make a container of a run that is over, and then cannot start it; it goes. */
async function sweep({ hands }: Jobs): Promise<void> {
  const { engine, runs, architecture } = hands;
  const listed = await engine.jobs.list(architecture);
  for (const { run, step } of listed.ok ? listed.value : []) {
    const found = await runs.find(run);
    if (!found || found.closedAt) await engine.jobs.remove(architecture, { run, step });
  }
}

/** Whatever happens on the engine may be something to do. Ends with the signal: who has been stopped waits no more. */
async function passOn(wake: Wake, onNews: () => void, signal: AbortSignal): Promise<void> {
  const own = wake.fork(signal);
  while (!signal.aborted) if (await own.next(beatMs)) onNews();
}

/** Says that the owner lives; lets go of what is no longer its own. */
function keepLeases({ hands, timers }: Jobs, carried: ReadonlyMap<RunId, Carried>): { stop(): void } {
  const renew = async (): Promise<void> => {
    const own = await hands.runs.renew([...carried.values()].map(({ owned }) => owned));
    for (const { owned, abort } of carried.values())
      if (!own.some(({ id, token }) => id === owned.id && token === owned.token)) abort.abort();
  };
  const beat = (): void => {
    void renew();
    callOff = timers.after(renewMs, beat);
  };
  let callOff = timers.after(renewMs, beat);
  return { stop: () => callOff() };
}
