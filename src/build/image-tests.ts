import type { ComponentTest } from '../architecture/model.ts';
import type { ImageId } from '../digest.ts';
import type { BuildRequest, Images } from '../engine/image.ts';
import { labels } from '../engine/labels.ts';
import type { Report } from '../events.ts';
import type { Problem } from '../problem.ts';
import { done, failed, type Result } from '../result.ts';
import type { KeyedComponent } from './keys.ts';

/** How long one test of an image may run. */
const testLimitMs = 600_000;

/** How much of a failed test's output is shown. */
const shownLines = 20;

/** What was tested, for people and for the image's label: commands as typed, targets by name. Empty without tests. */
export const describeTests = (tests: readonly ComponentTest[]): string => tests.map(describeTest).join('; ');

const describeTest = (test: ComponentTest): string => ('target' in test ? `target ${test.target}` : test.command.join(' '));

/** `request` made the image; `context` packs its files once more, because a stream can be read only once. */
export type Tested = {
  keyed: KeyedComponent;
  request: Omit<BuildRequest, 'context'>;
  context: () => AsyncIterable<Uint8Array>;
  image: ImageId;
};

/** Runs all tests of an image, one after the other; the first that fails is TESTS_FAILED. */
export async function runTests({ images, report }: { images: Images; report: Report }, tested: Tested): Promise<Result<void>> {
  const {
    name: component,
    component: { inputs },
  } = tested.keyed;
  for (const test of inputs.tests) {
    const tests = describeTest(test);
    report({ type: 'component-tests-started', component, tests });
    const started = performance.now();
    const failure =
      'target' in test ? await buildTarget({ images, report }, tested, test.target) : await runCommand(images, tested, test.command);
    if (failure !== undefined) return failed(testsProblem(component, tests, failure));
    report({ type: 'component-tests-passed', component, tests, durationMs: Math.round(performance.now() - started) });
  }
  return done(undefined);
}

type Failure = { why: string; lines: readonly string[] };

/** In a container without network, whose files it may write: what is left of it is thrown away. */
async function runCommand(
  images: Images,
  { image, keyed, request: { signal } }: Tested,
  command: readonly string[],
): Promise<Failure | undefined> {
  const result = await images.runOnce({
    image,
    command,
    network: 'none',
    readOnly: false,
    labels: { [labels.role]: 'test', [labels.key]: keyed.component.key },
    limitMs: testLimitMs,
    ...(signal && { signal }),
  });
  if (result.exitCode === 0 && !result.timedOut) return undefined;
  const lines = [...linesOf(result.stdout), ...linesOf(result.stderr)].slice(-shownLines);
  return { why: result.timedOut ? `not done after ${testLimitMs / 1000} s` : `it ended with exit code ${result.exitCode}`, lines };
}

async function buildTarget(
  { images, report }: { images: Images; report: Report },
  { keyed, request, context }: Tested,
  target: string,
): Promise<Failure | undefined> {
  const tag = `${request.tag}-test`;
  const built = await images.build({ ...request, context: context(), target, tag }, (progress) =>
    report({ type: 'component-build-step', component: keyed.name, ...progress }),
  );
  if (!built.ok) return { why: built.problem.step || built.problem.message, lines: built.problem.lines.slice(-shownLines) };
  await images.remove(tag);
  return undefined;
}

const linesOf = (text: string): string[] => text.split('\n').filter((line) => line.trim() !== '');

const testsProblem = (component: string, tests: string, { why, lines }: Failure): Problem => ({
  code: 'TESTS_FAILED',
  what: `${component} was built, but its tests failed: ${tests}`,
  why,
  safe: 'the image is not used; nothing that runs was touched',
  next: `correct ${component} or its tests, and commit`,
  lines,
});
