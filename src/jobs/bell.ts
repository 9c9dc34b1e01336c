import type { Timers } from '../timers.ts';

/** Wakes all who wait for something to do. */
export class Bell {
  readonly #timers: Timers;
  readonly #waiting = new Set<() => void>();
  #rung = 0;

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  ring(): void {
    this.#rung += 1;
    for (const each of this.#waiting) each();
  }

  /** Waits on it from now on: what rings between two waits is not lost. */
  listen(): (ms: number) => Promise<void> {
    let known = this.#rung;
    return async (ms) => {
      if (known === this.#rung) await this.#next(ms);
      known = this.#rung;
    };
  }

  #next(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        callOff();
        this.#waiting.delete(end);
        resolve();
      };
      const callOff = this.#timers.after(ms, end);
      this.#waiting.add(end);
    });
  }
}
