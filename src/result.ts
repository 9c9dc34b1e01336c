import type { Problem } from './problem.ts';

/** An expected outcome: a value, or the problem that stood in the way. A throw is a bug. */
export type Result<T, P = Problem> = { ok: true; value: T } | { ok: false; problem: P };

export const done = <T>(value: T): { ok: true; value: T } => ({ ok: true, value });

export const failed = <P>(problem: P): { ok: false; problem: P } => ({ ok: false, problem });
