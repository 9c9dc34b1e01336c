import assert from 'node:assert/strict';
import type { RunId } from '../../src/digest.ts';
import type { JobsWorld } from './jobs-world.ts';

/** Lets each step that runs print a few lines, turn by turn, and then end well. */
export function finishing(world: JobsWorld): () => void {
  const turns = new Map<string, number>();
  return () => {
    for (const running of world.engine.jobs.runningSteps()) {
      const turn = (turns.get(running) ?? 0) + 1;
      turns.set(running, turn);
      const [run, key = ''] = running.split(' ');
      if (turn % 4 === 0) world.engine.jobs.print(run as RunId, key, `line ${turn / 4}`);
      if (turn === 12) world.engine.jobs.finish(run as RunId, key, 0);
    }
  };
}

/** What must be so of a run of `build`, whatever happened to those who carried it: all of it was done, once. */
export async function checkRun(world: JobsWorld, id: RunId, at: string): Promise<void> {
  const run = await world.run(id);
  const keys = ['/build', '/lint', '/unit'];
  const mine = world.engine.jobs.began.filter((began) => began.startsWith(`${id} `));
  assert.deepEqual(
    mine.toSorted(),
    keys.map((key) => `${id} ${key}`),
    `${at}: each step ran once`,
  );
  assert.equal(mine[0], `${id} /build`, `${at}: in order`);
  assert.equal(run.outcome, 'passed', `${at}: ${JSON.stringify(run.problem)}`);
  assert.deepEqual(
    run.steps.map(({ step, outcome, exitCode }) => [step, outcome, exitCode]),
    keys.map((key) => [key, 'passed', 0]),
    at,
  );
  for (const key of keys)
    assert.deepEqual(await world.kept(id, key), ['line 1', 'line 2', 'line 3'], `${at}: the output of ${key} is whole`);
  const ended = (await world.ledger.events({ type: 'job-ended', limit: 500 })).filter((event) => 'run' in event && event.run === id);
  assert.equal(ended.length, 1, `${at}: its end is on record once`);
  assert.deepEqual(
    (await world.stepsOnEngine()).filter((step) => step.startsWith(id)),
    [],
    `${at}: nothing is left`,
  );
}
