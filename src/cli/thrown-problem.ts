import { type Problem, problemCatalogue } from '../problem.ts';

/** The problem that an adapter threw because its answer has no place for one; undefined when it is a bug that was thrown. */
export function problemIn(thrown: unknown): Problem | undefined {
  if (typeof thrown !== 'object' || thrown === null || !('problem' in thrown)) return undefined;
  const { problem } = thrown;
  const isProblem =
    typeof problem === 'object' && problem !== null && 'code' in problem && Object.hasOwn(problemCatalogue, String(problem.code));
  return isProblem ? (problem as Problem) : undefined;
}
