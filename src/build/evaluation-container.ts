import type { Lock } from '../architecture/lock.ts';
import {
  evaluationArguments,
  evaluationEnvironment,
  evaluationFiles,
  evaluationLimitMs,
  parseEvaluationOutput,
  type Evaluator,
} from '../architecture/evaluation.ts';
import type { Engine } from '../engine/engine.ts';
import { labels } from '../engine/labels.ts';
import type { Report } from '../events.ts';
import type { Assets } from './build-context.ts';
import { ensureController } from './system-build.ts';
import { programFolder, planSystem, readAssets } from './system-images.ts';

/**
 * Evaluates in a container of the controller image that has no network and no volume and is thrown away. The image is made
 * first where it is missing. Its root is writable because Docker copies nothing into a read-only one.
 */
export function evaluationContainer({
  engine,
  assets,
  lock,
  report,
}: {
  engine: Engine;
  assets: Assets;
  lock: Lock;
  report: Report;
}): Evaluator {
  return async (program) => {
    const [described, files] = await Promise.all([engine.describe(), readAssets(assets, { builder: false })]);
    if (!described.ok) return described;
    const plan = planSystem({ files, lock, platform: described.value.platform });
    if (!plan.ok) return plan;
    const image = await ensureController({ images: engine.images, report }, plan.value);
    if (!image.ok) return image;
    const ended = await engine.images.runOnce({
      image: image.value,
      command: ['node', ...evaluationArguments(`${programFolder}/evaluator.js`, program.entry)],
      files: evaluationFiles(program),
      environment: evaluationEnvironment,
      labels: { [labels.role]: 'evaluation' },
      network: 'none',
      readOnly: false,
      limitMs: evaluationLimitMs,
    });
    return parseEvaluationOutput(ended);
  };
}
