import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { jobOf, jobStepOf } from '../release/release-fixture.ts';
import { type RunSteps, stepsOfRun } from './steps-of-run.ts';

const stepsIn = ({ cells }: RunSteps) => cells.flatMap(({ groups }) => groups.flat());

test('a job without a matrix has one cell, without a name', () => {
  const job = jobOf({ steps: [[jobStepOf({ name: 'a' })], [jobStepOf({ name: 'b' }), jobStepOf({ name: 'c' })]] });
  const run = stepsOfRun('test', job);
  assert(run.ok);
  assert.deepEqual(
    run.value.cells.map(({ cell, groups }) => [cell, groups.map((group) => group.map(({ key }) => key))]),
    [['', [['/a'], ['/b', '/c']]]],
  );
});

test('a matrix is a cell for each combination, with its values in agent, command and settings', () => {
  const step = { agent: 'java-${jdk}', command: ['mvn', '-Dos=${os}', '$${HOME}'], settings: { WHERE: '${os}/${jdk}' }, artifacts: ['x'] };
  const run = stepsOfRun('test', jobOf({ matrix: { os: ['a', 'b'], jdk: ['17'] } }, step));
  assert(run.ok);
  assert.deepEqual(
    stepsIn(run.value).map(({ key, cell, step: { agent, command, settings } }) => ({ key, cell, agent, command, settings })),
    ['a', 'b'].map((os) => ({
      key: `jdk=17,os=${os}/unit`,
      cell: `jdk=17,os=${os}`,
      agent: 'java-17',
      command: ['mvn', `-Dos=${os}`, '${HOME}'],
      settings: { WHERE: `${os}/17` },
    })),
  );
});

test('parameters are those of the job, with what was said in their place', () => {
  const run = stepsOfRun('test', jobOf({ parameters: { suite: 'all', level: '1' } }), { suite: '$(id)\n' });
  assert(run.ok);
  assert.deepEqual(run.value.parameters, { suite: '$(id)\n', level: '1' });
});

test('a parameter that the job has not, and a value that cannot be one, are problems', () => {
  const job = jobOf({ parameters: { suite: 'all' } });
  const unknown = stepsOfRun('test', job, { suit: 'x' });
  assert(!unknown.ok);
  assert.deepEqual(
    [unknown.problem.code, unknown.problem.what, unknown.problem.why],
    ['UNKNOWN_PARAMETER', 'job test has no parameter suit (did you mean suite?)', 'it has suite'],
  );
  for (const value of ['a\0b', 'x'.repeat(100_001)]) {
    const invalid = stepsOfRun('test', job, { suite: value });
    assert.equal(!invalid.ok && invalid.problem.code, 'PARAMETER_INVALID');
  }
  assert(!stepsOfRun('test', job, JSON.parse('{"__proto__":"x"}')).ok);
});

test('every step of every cell has a key of its own, and is the step that was written', () => {
  const names = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 1 });
  const values = fc.uniqueArray(fc.constantFrom('1', '2', '3.0', 'x-y'), { minLength: 1 });
  const matrix = fc.dictionary(fc.constantFrom('jdk', 'os', 'arch'), values);
  fc.assert(
    fc.property(names, matrix, (all, axes) => {
      const run = stepsOfRun('test', jobOf({ matrix: axes, steps: all.map((name) => [jobStepOf({ name })]) }));
      assert(run.ok);
      const steps = stepsIn(run.value);
      const cells = Object.values(axes).reduce((count, axis) => count * axis.length, 1);
      assert.equal(new Set(steps.map(({ key }) => key)).size, cells * all.length);
      for (const { key, cell, step } of steps) assert.equal(key, `${cell}/${step.name}`);
    }),
  );
});
