import type { ObservedJobStep } from '../engine/job-steps.ts';
import type { OwnedRun } from '../ledger/job-runs.ts';
import { keepLog } from './keep-log.ts';
import type { KeptLogs } from './kept-log.ts';
import type { JobEngine } from './run-hands.ts';

type Attending = { engine: JobEngine; architecture: string; logs: KeptLogs; owned: OwnedRun; ended: () => void };

/** Keeps the output of all steps of a run, while they run. */
export class LogKeepers {
  /** Steps of which nothing is left to be kept. */
  readonly kept = new Set<string>();
  readonly #attending: Attending;
  readonly #abort = new AbortController();
  readonly #busy = new Map<string, Promise<void>>();
  readonly #full = new Set<string>();

  constructor(attending: Attending) {
    this.#attending = attending;
  }

  /** Begins with each that has something to be kept, and is not kept already. */
  attend(observed: readonly ObservedJobStep[]): void {
    for (const { step, state } of observed) {
      const isDue = state === 'exited' || (state === 'running' && !this.#full.has(step));
      if (isDue && !this.kept.has(step) && !this.#busy.has(step)) this.#busy.set(step, this.#keep(step));
    }
  }

  /** What is kept so far is put away; resolves when it is. */
  async stop(): Promise<void> {
    this.#abort.abort();
    await Promise.all(this.#busy.values());
  }

  async #keep(step: string): Promise<void> {
    const { owned, ended, ...keeping } = this.#attending;
    const name = { run: owned.id, step };
    const how = await keepLog({ ...keeping, name, token: owned.token, signal: this.#abort.signal });
    if (how === 'whole') this.kept.add(step);
    if (how === 'full') this.#full.add(step);
    this.#busy.delete(step);
    // A stream that breaks at once, again and again, is opened at the next beat.
    if (how === 'whole') ended();
  }
}
