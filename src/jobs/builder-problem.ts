import type { Problem } from '../problem.ts';

/** The problem that a builder's last words tell, as the command line tells it with --json; undefined where they are none. */
export function builderProblem(lines: readonly string[]): Problem | undefined {
  const last = lines.findLast((line) => line.startsWith('{'));
  try {
    const { problem } = JSON.parse(last ?? '{}') as { problem?: Problem };
    return typeof problem?.code === 'string' && typeof problem.what === 'string' ? problem : undefined;
  } catch {
    return undefined;
  }
}
