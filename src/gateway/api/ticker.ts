import type { Timers } from '../../timers.ts';

/** How soon what is new is looked for. */
const tickMs = 250;

/** Wakes all who wait for something new, at the same moments; while nobody waits there is no timer. */
export class Ticker {
  readonly #timers: Timers;
  #waiting: (() => void)[] = [];

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  next(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      if (this.#waiting.length === 1) this.#timers.after(tickMs, () => this.#tick());
    });
  }

  #tick(): void {
    const woken = this.#waiting;
    this.#waiting = [];
    for (const wake of woken) wake();
  }
}
