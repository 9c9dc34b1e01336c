import type { Output } from '../world.ts';
import type { Paint } from './problem.ts';
import type { Reporter } from './reporter.ts';
import { waitingWords } from './waiting.ts';
import { type Words, wordsFor } from './words.ts';

/** Sparse full lines for a pipe or a CI log: what was done, and once per change what is waited for. */
export function linesReporter(output: Output, paint: Paint): Reporter {
  const waiting = new Map<string, string>();
  return {
    report(event) {
      const words = event.type === 'health-waiting' ? newWaiting(waiting, event) : wordsFor(event);
      if (words !== undefined) output.write(`${lineOf(words, paint)}\n`);
    },
    end: () => {},
  };
}

function newWaiting(seen: Map<string, string>, event: Parameters<typeof waitingWords>[0]): Words | undefined {
  const unit = `${event.unit.kind}/${event.unit.name}`;
  const words = waitingWords(event);
  if (event.failing.length === 0 || seen.get(unit) === words.rest) return undefined;
  seen.set(unit, words.rest);
  return words;
}

const tones = { good: 'green', plain: 'cyan', bad: 'red' } as const;

export const lineOf = (words: Words, paint: Paint): string => `${paint(tones[words.tone], words.verb.padEnd(10))} ${words.rest}`;
