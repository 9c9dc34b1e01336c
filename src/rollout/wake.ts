import type { Engine, EngineEvent } from '../engine/engine.ts';
import { realTimers, type Timers } from '../timers.ts';

/** Something to wait on: an engine event, or time. */
export interface Wake {
  /** Resolves at the next event since the last call (true), or after `ms` (false). */
  next(ms: number): Promise<boolean>;
  stop(): void;
}

export type Watching = { onEvent?: (event: EngineEvent) => void; timers?: Timers };

/** Listens to the architecture's events until stopped. Events that come between two calls of `next` are not lost, only merged. */
export function watchEngine(engine: Engine, architecture: string, { onEvent, timers = realTimers }: Watching = {}): Wake {
  const abort = new AbortController();
  let pending = false;
  let release: () => void = () => undefined;
  void (async () => {
    for await (const event of engine.watch(architecture, abort.signal)) {
      onEvent?.(event);
      pending = true;
      release();
    }
  })();
  return {
    async next(ms) {
      if (!pending && !abort.signal.aborted)
        await new Promise<void>((resolve) => {
          const callOff = timers.after(ms, resolve);
          release = () => {
            callOff();
            resolve();
          };
        });
      const heard = pending;
      pending = false;
      return heard;
    },
    stop() {
      abort.abort();
      release();
    },
  };
}
