import type { Output } from '../world.ts';
import type { Reporter } from './reporter.ts';

/** One JSON object per line, each with the time it happened. */
export function jsonReporter(output: Output, clock: () => string): Reporter {
  return {
    report: (event) => output.write(`${JSON.stringify({ version: 1, at: clock(), ...event })}\n`),
    end: () => {},
  };
}
