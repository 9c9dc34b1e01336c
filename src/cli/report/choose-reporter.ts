import type { World } from '../world.ts';
import { jsonReporter } from './json.ts';
import { linesReporter } from './lines.ts';
import { paintFor } from './problem.ts';
import type { Reporter } from './reporter.ts';
import { terminalReporter } from './terminal.ts';

/** Progress for people on stderr: live on a terminal, else sparse lines. */
export function progressReporter(world: World): Reporter {
  const { stderr, env } = world;
  const paint = paintFor(stderr.isTerminal, env);
  const live = stderr.isTerminal && (env['CI'] ?? '') === '' && env['TERM'] !== 'dumb';
  return live ? terminalReporter(stderr, paint) : linesReporter(stderr, paint);
}

/** For commands whose answer is the stream itself: with `json` every event is a line on stdout. */
export const streamReporter = (world: World, json: boolean): Reporter =>
  json ? jsonReporter(world.stdout, world.clock) : progressReporter(world);
