import type { Engine, EngineEvent } from '../engine/engine.ts';
import { realTimers, type Timers } from '../timers.ts';

/** Something to wait on: an engine event, or time. */
export interface Wake {
  /** Resolves at the next event since the last call (true), or after `ms` (false). */
  next(ms: number): Promise<boolean>;
  /** Another who waits on the same events: each hears all of them. It needs no stopping, and waits no more once the signal is aborted. */
  fork(signal?: AbortSignal): Wake;
  stop(): void;
}

export type Watching = { onEvent?: (event: EngineEvent) => void; timers?: Timers };

/** Listens to the architecture's events until stopped. Events that come between two calls of `next` are not lost, only merged. */
export function watchEngine(engine: Engine, architecture: string, { onEvent, timers = realTimers }: Watching = {}): Wake {
  const abort = new AbortController();
  const waiting = new Set<() => void>();
  let heard = 0;
  const release = (): void => {
    for (const each of waiting) each();
  };
  void (async () => {
    for await (const event of engine.watch(architecture, abort.signal)) {
      onEvent?.(event);
      heard += 1;
      release();
    }
  })();
  const fork = (signal?: AbortSignal): Wake => {
    let known = heard;
    signal?.addEventListener('abort', release, { once: true });
    return {
      async next(ms) {
        if (known === heard && !abort.signal.aborted && !signal?.aborted) await released(waiting, (end) => timers.after(ms, end));
        const isNew = known !== heard;
        known = heard;
        return isNew;
      },
      fork,
      stop() {
        abort.abort();
        release();
      },
    };
  };
  return fork();
}

/** Until it is released, or its time has come. */
function released(waiting: Set<() => void>, startTimer: (end: () => void) => () => void): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      callOff();
      waiting.delete(end);
      resolve();
    };
    const callOff = startTimer(end);
    waiting.add(end);
  });
}
