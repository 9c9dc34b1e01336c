import type { Output } from '../world.ts';
import { type Activities, activitiesAfter } from './activity.ts';
import { duration } from './duration.ts';
import { LiveRegion } from './live-region.ts';
import { lineOf } from './lines.ts';
import { type Paint, printable } from './problem.ts';
import type { Reporter } from './reporter.ts';
import { wordsFor } from './words.ts';

const frameMs = 100;
const mostShown = 8;

/** What is done is told in lines that stay; what goes on is shown below them, live. */
export function terminalReporter(output: Output, paint: Paint): Reporter {
  const region = new LiveRegion(output);
  let activities: Activities = new Map();
  let timer: NodeJS.Timeout | undefined;
  let ended = false;
  const draw = (told: readonly string[] = []): void => region.draw(told, activityLines(activities, paint, performance.now()));
  return {
    report(event) {
      if (ended) return;
      activities = activitiesAfter(activities, event, performance.now());
      const words = wordsFor(event);
      if (words !== undefined) draw([lineOf(words, paint)]);
      // The story is written at once, the live part at a steady pace, so that fast events do not make it flicker.
      timer ??= setInterval(draw, frameMs).unref();
    },
    end() {
      if (ended) return;
      ended = true;
      clearInterval(timer);
      region.draw([], []);
    },
  };
}

/** One line for each activity, the longest-running first; the rest is counted. */
export function activityLines(activities: Activities, paint: Paint, nowMs: number): string[] {
  const all = [...activities.values()].toSorted((a, b) => a.sinceMs - b.sinceMs);
  const lines = all.slice(0, mostShown).map(({ verb, what, detail, sinceMs }) => {
    const took = nowMs - sinceMs < 1000 ? '' : paint('dim', `  ${duration(Math.floor((nowMs - sinceMs) / 1000) * 1000)}`);
    return `${paint('yellow', verb.padEnd(10))} ${what}${took}${detail === '' ? '' : paint('dim', `  ${printable(detail)}`)}`;
  });
  return all.length > mostShown ? [...lines, paint('dim', `           and ${all.length - mostShown} more`)] : lines;
}
