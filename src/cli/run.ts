import { type Problem, problemCatalogue } from '../problem.ts';
import type { CommandModule, Input, Interruption, Session } from './command.ts';
import { parse } from './parse.ts';
import { problemIn } from './thrown-problem.ts';
import { paintFor, renderProblem } from './report/problem.ts';
import type { World } from './world.ts';

/** Where bugs are told. */
const issuesAddress = 'the project’s issue tracker';

/**
 * The command line: argv (without node and script) → exit code. Never throws. The answer is on the world's stdout,
 * progress and problems on its stderr; with --json a problem is on stdout too.
 */
export async function run(argv: readonly string[], world: World): Promise<number> {
  const parsed = await parse(argv, world);
  if (parsed.kind === 'answer') return parsed.exit;
  if (parsed.kind === 'problem') return tell(parsed.problem, world, argv.includes('--json'));
  const { input, load } = parsed;
  const interruption: Interruption = { safe: 'nothing was changed' };
  try {
    const session: Session = { world, input, interruption };
    return await Promise.race([carryOut(load, session), interrupted(session)]);
  } catch (thrown) {
    return tellBug(thrown, world, input);
  }
}

async function carryOut(load: () => Promise<CommandModule>, session: Session): Promise<number> {
  const { run: command } = await load();
  const result = await command(session);
  // What an interrupted command still comes to is not told: the interruption has been.
  if (session.world.signal.aborted) return 130;
  return result.ok ? result.value : tell(result.problem, session.world, session.input.json);
}

function interrupted({ world, interruption }: Session): Promise<number> {
  return new Promise((resolve) => {
    const end = (): void => {
      const next = interruption.next === undefined ? '' : `\n  next  ${interruption.next}`;
      world.stderr.write(`\ninterrupted\n  safe  ${interruption.safe}${next}\n`);
      const tidied = interruption.tidy?.() ?? Promise.resolve();
      void tidied.then(
        () => resolve(130),
        () => resolve(130),
      );
    };
    if (world.signal.aborted) end();
    else world.signal.addEventListener('abort', end, { once: true });
  });
}

function tell(problem: Problem, world: World, json: boolean): number {
  if (json) world.stdout.write(`${JSON.stringify({ version: 1, problem })}\n`);
  world.stderr.write(renderProblem(problem, paintFor(world.stderr.isTerminal, world.env)));
  return problemCatalogue[problem.code].exit;
}

/** An adapter that may only throw carries the problem it met; anything else that is thrown is a bug. */
function tellBug(thrown: unknown, world: World, input: Input): number {
  const carried = problemIn(thrown);
  if (carried !== undefined) return tell(carried, world, input.json);
  const debug = input.options['debug'] === true || (world.env['CHANGELESS_DEBUG'] ?? '') !== '';
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const bug: Problem = {
    code: 'INTERNAL',
    what: error.message.split('\n')[0] ?? 'something unexpected happened',
    why: 'this is a bug in Changeless, not in your architecture',
    safe: 'what runs keeps running; the engine holds nothing half-made that the next `changeless up` does not finish or remove',
    next: debug
      ? `please report it to ${issuesAddress}, with the lines below`
      : `please report it to ${issuesAddress}; the same command with --debug prints where it happened`,
    ...(debug && { lines: (error.stack ?? '').split('\n').slice(1) }),
  };
  return tell(bug, world, input.json);
}
