/**
 * What a release image runs: `node controller.js`, the controller itself; `node controller.js log|events|deliveries`, a question to
 * the ledger. It is one file of its own, so that a controller starts without reading the command line's program.
 */
import { parseArgs } from 'node:util';
import type { ReleaseId } from '../digest.ts';
import { openDockerEngine } from '../engine/docker/docker-engine.ts';
import type { Result } from '../result.ts';
import { isLedgerSubject, runBakedController, tellFromLedger } from './controller-work.ts';
import { renderProblem } from './report/problem.ts';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { limit: { type: 'string', default: '100' }, release: { type: 'string' } },
});
const terminated = new AbortController();
// Process 1 of a container gets no SIGTERM that it does not ask for.
process.on('SIGTERM', () => terminated.abort());

const say = (text: string): void => void process.stdout.write(`${text}\n`);

async function work(): Promise<Result<unknown>> {
  const [about] = positionals;
  if (!isLedgerSubject(about))
    return runBakedController({ engine: openDockerEngine(), print: (event) => say(JSON.stringify(event)), signal: terminated.signal });
  const release = values.release === undefined ? {} : { release: values.release as ReleaseId };
  const told = await tellFromLedger({ about, limit: Number(values.limit), ...release });
  if (told.ok) say(told.value);
  return told;
}

const result = await work();
if (!result.ok) process.stderr.write(`${renderProblem(result.problem)}\n`);
process.stdout.write('', () => process.exit(result.ok ? 0 : 1));
