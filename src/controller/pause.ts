import type { Timers } from '../timers.ts';

/** Resolves after `ms`, or as soon as the signal is aborted. */
export function pause(ms: number, { signal, timers }: { signal: AbortSignal; timers: Timers }): Promise<void> {
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
