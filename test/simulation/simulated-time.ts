import type { Timers } from '../../src/timers.ts';
import type { Random } from './random.ts';

type Due = { at: number; order: number; work: () => void; off: boolean };

/**
 * Time that passes only from one thing to do to the next. It is the scheduler too: of what is due in the same
 * millisecond, chance decides what goes on first.
 */
export class SimulatedTime implements Timers {
  nowMs = Date.UTC(2026, 0, 1);
  readonly #random: Random;
  readonly #heap: Due[] = [];
  #looks = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  after(ms: number, work: () => void): () => void {
    const due: Due = { at: this.nowMs + Math.max(0, Math.round(ms)), order: this.#random.next(), work, off: false };
    this.#push(due);
    return () => {
      due.off = true;
    };
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => void this.after(ms, resolve));
  }

  readonly clock = (): Date => new Date(this.nowMs);

  /** As an engine stamps it: to the nanosecond, so that no two things are made at once. */
  readonly stamp = (): string => {
    this.#looks += 1;
    return `${this.clock().toISOString().slice(0, -1)}${String(this.#looks % 1_000_000).padStart(6, '0')}Z`;
  };

  /** Lets time pass until the condition holds (true) or `limitMs` has passed (false). It is asked every `everyMs`. */
  async until(condition: () => boolean | Promise<boolean>, limits: { limitMs: number; everyMs: number }): Promise<boolean> {
    const end = this.nowMs + limits.limitMs;
    for (let next = this.nowMs; ; next += limits.everyMs) {
      await this.#passTo(Math.min(next, end));
      if (await condition()) return true;
      if (this.nowMs >= end) return false;
    }
  }

  async pass(ms: number): Promise<void> {
    await this.#passTo(this.nowMs + ms);
  }

  async #passTo(end: number): Promise<void> {
    await turn();
    for (let due = this.#heap[0]; due && due.at <= end; due = this.#heap[0]) {
      this.#pop();
      if (due.off) continue;
      this.nowMs = due.at;
      due.work();
      await turn();
    }
    this.nowMs = Math.max(this.nowMs, end);
  }

  #push(due: Due): void {
    const heap = this.#heap;
    let index = heap.push(due) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!isBefore(due, heap[parent]!)) break;
      heap[index] = heap[parent]!;
      index = parent;
    }
    heap[index] = due;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (!last || heap.length === 0) return;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child += 1;
      if (!isBefore(heap[child]!, last)) break;
      heap[index] = heap[child]!;
      index = child;
    }
    heap[index] = last;
  }
}

const isBefore = (a: Due, b: Due): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);

/** Everything that can go on without time passing has gone on: promises settle before the next turn of Node's loop. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
