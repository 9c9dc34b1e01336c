/**
 * What a release image runs: `node controller.js`, the controller itself; with a question's words behind it, an answer out of
 * the ledger. It is one file of its own, so that a controller starts without reading the command line's program.
 */
import { openDockerEngine } from '../engine/docker/docker-engine.ts';
import type { Result } from '../result.ts';
import { runBakedController, tellFromLedger } from './controller-work.ts';
import { questionIn } from './ledger-question.ts';
import { renderProblem } from './report/problem.ts';

const terminated = new AbortController();
// Process 1 of a container gets no SIGTERM that it does not ask for.
process.on('SIGTERM', () => terminated.abort());

const say = (text: string): void => void process.stdout.write(`${text}\n`);

async function work(): Promise<Result<unknown>> {
  const question = questionIn(process.argv.slice(2));
  if (!question.ok) return question;
  if (!question.value)
    return runBakedController({ engine: openDockerEngine(), print: (event) => say(JSON.stringify(event)), signal: terminated.signal });
  const told = await tellFromLedger(question.value);
  if (told.ok) say(told.value);
  return told;
}

const result = await work();
if (!result.ok) process.stderr.write(`${renderProblem(result.problem)}\n`);
process.stdout.write('', () => process.exit(result.ok ? 0 : 1));
