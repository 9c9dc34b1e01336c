import type { ReleaseId } from '../digest.ts';
import type { ObservedInstance } from '../engine/engine.ts';
import { unitName, type Hands } from './carry-out.ts';
import type { SeatStep } from './desired.ts';
import { stepOf } from './ground.ts';
import type { Outfit } from './outfit.ts';
import { failedAfter, failedBefore, runOf } from './plan-steps.ts';

/** A step that ended badly. `late`: it was killed for its limit. */
export type FailedStep = { step: SeatStep; run: ObservedInstance; late: boolean };

/** What becomes of the steps in the course of one rollout: each end is told once, and what outlasts its limit is found. */
export class StepWatch {
  /** Names of the steps that have run longer than they may. */
  readonly overdue = new Set<string>();
  readonly #hands: Hands;
  readonly #release: ReleaseId;
  readonly #running = new Set<string>();
  readonly #told = new Set<string>();
  readonly #late = new Set<string>();
  #hasLooked = false;

  constructor(hands: Hands, release: ReleaseId) {
    this.#hands = hands;
    this.#release = release;
  }

  look(outfits: readonly Outfit[]): void {
    this.overdue.clear();
    for (const outfit of outfits)
      for (const step of outfit.seat.steps) {
        const run = runOf(step, outfit);
        if (run?.state === 'running') this.#lookAt(run, step.limitMs);
        // What had ended of a unit that was live already was told by the rollout that ran it.
        else if (run && !this.#hasLooked && outfit.live) this.#told.add(run.container);
        else if (run && this.#isOurs(run)) this.#tellEnd(run);
      }
    this.#hasLooked = true;
  }

  /** A step for which the rollout fails. */
  failedBefore(outfits: readonly Outfit[]): FailedStep | undefined {
    return this.#first(outfits, (outfit) => failedBefore(outfit, { hurry: false }));
  }

  /** A step that failed although the release is live; not one of an earlier release whose instances are kept. */
  failedAfter(outfits: readonly Outfit[]): FailedStep | undefined {
    return this.#first(outfits, failedAfter);
  }

  #first(outfits: readonly Outfit[], failed: (outfit: Outfit) => SeatStep[]): FailedStep | undefined {
    for (const outfit of outfits)
      for (const step of failed(outfit)) {
        const run = runOf(step, outfit);
        if (run && this.#isOurs(run)) return { step, run, late: this.#late.has(run.container) };
      }
    return undefined;
  }

  #isOurs = ({ origin, container }: ObservedInstance): boolean => origin.release === this.#release || this.#running.has(container);

  #lookAt({ name, container, startedAt }: ObservedInstance, limitMs: number): void {
    this.#running.add(container);
    if (startedAt === undefined || this.#hands.now() - Date.parse(startedAt) <= limitMs) return;
    this.overdue.add(name);
    this.#late.add(container);
  }

  #tellEnd({ container, name, owner, startedAt, endedAt, exitCode = 0 }: ObservedInstance): void {
    if (this.#told.has(container)) return;
    this.#told.add(container);
    const durationMs = startedAt && endedAt ? Math.max(0, Date.parse(endedAt) - Date.parse(startedAt)) : 0;
    this.#hands.report({ type: 'step-ended', unit: unitName(owner), step: stepOf(name), instance: name, exitCode, durationMs });
  }
}
