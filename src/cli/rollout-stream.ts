import type { RecordedEvent } from '../events.ts';
import type { Problem } from '../problem.ts';
import { done, failed, type Result } from '../result.ts';
import { problemCatalogue } from '../problem.ts';
import type { Session } from './command.ts';
import { problemIn } from './thrown-problem.ts';
import { paintFor, renderProblem } from './report/problem.ts';
import { streamReporter } from './report/choose-reporter.ts';
import type { Reporter } from './report/reporter.ts';

/** A stream of events that knows whether its last word was said. */
export type RolloutStream = Reporter & { ended: boolean };

/**
 * Runs what ends in a rollout under the machine contract: with --json the last line on stdout is `rollout-ended`, whatever
 * went wrong and wherever.
 */
export async function withStream(session: Session, work: (stream: RolloutStream) => Promise<Result<number>>): Promise<Result<number>> {
  const { world, input } = session;
  const inner = streamReporter(world, input.json);
  const stream: RolloutStream = {
    ended: false,
    end: inner.end,
    report(event) {
      if (event.type === 'rollout-ended') stream.ended = true;
      if (!world.signal.aborted) inner.report(event);
    },
  };
  world.signal.addEventListener('abort', inner.end, { once: true });
  try {
    const result = await problemsCaught(work(stream));
    inner.end();
    return input.json && !result.ok ? sayAsJson(session, stream, result.problem) : result;
  } finally {
    inner.end();
  }
}

async function problemsCaught(work: Promise<Result<number>>): Promise<Result<number>> {
  try {
    return await work;
  } catch (thrown) {
    const problem = problemIn(thrown);
    if (problem === undefined) throw thrown;
    return failed(problem);
  }
}

// The problem is the last event's; on stderr it is said in words as always.
function sayAsJson({ world }: Session, stream: RolloutStream, problem: Problem): Result<number> {
  const at = world.clock();
  if (!stream.ended) world.stdout.write(`${JSON.stringify({ version: 1, at, type: 'rollout-ended', outcome: 'failed', problem })}\n`);
  world.stderr.write(renderProblem(problem, paintFor(world.stderr.isTerminal, world.env)));
  return done(problemCatalogue[problem.code].exit);
}

/** The end of a rollout that needed no beginning: what was asked for is live already. */
export function alreadyLive(
  event: Pick<RecordedEvent & { type: 'rollout-ended' }, 'release' | 'commit'>,
  at: string,
): RecordedEvent & { type: 'rollout-ended'; unchanged: true } {
  return { type: 'rollout-ended', ...event, outcome: 'live', durationMs: 0, at, unchanged: true };
}
