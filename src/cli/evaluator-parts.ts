import type { Evaluator } from '../architecture/evaluation.ts';
import type { Lock } from '../architecture/lock.ts';
import type { Assets } from '../build/build-context.ts';
import type { Engine } from '../engine/engine.ts';
import type { Report } from '../events.ts';
import type { Result } from '../result.ts';

/** What an evaluator is made from. `lock` is read when there is something to evaluate. */
export type EvaluatorParts = { engine: Engine; assets: Assets; report: Report; lock: () => Promise<Result<Lock>> };

/** In a container without network, which the lock says how to make. */
export const inContainer =
  ({ lock: readLock, ...parts }: EvaluatorParts): Evaluator =>
  async (program) => {
    const found = await readLock();
    if (!found.ok) return found;
    const { evaluationContainer } = await import('../build/evaluation-container.ts');
    return evaluationContainer({ ...parts, lock: found.value })(program);
  };
