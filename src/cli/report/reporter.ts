import type { ChangelessEvent, RecordedEvent } from '../../events.ts';
import type { World } from '../world.ts';
import { jsonReporter } from './json.ts';
import { linesReporter } from './lines.ts';
import { paintFor } from './problem.ts';
import { terminalReporter } from './terminal.ts';

/** A view of the event stream. `end` leaves the screen tidy and may be called twice. */
export type Reporter = { report: (event: ChangelessEvent | RecordedEvent) => void; end: () => void };

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
