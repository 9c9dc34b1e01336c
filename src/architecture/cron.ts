import { Cron } from 'croner';

/** A time before all commits: whether an expression ever fits does not depend on when that is asked. */
const epoch = new Date(0);

/** Five fields that some time fits. `?`, which croner takes for the time when it is asked, is none; nor is a name such as `@daily`. */
export function isSchedule(expression: string): boolean {
  return /^[0-9A-Za-z*/,#-]+( [0-9A-Za-z*/,#-]+){4}$/.test(expression) && parsed(expression)?.nextRun(epoch) instanceof Date;
}

/** The last time that fits, after `since` and not after `until`. */
export function lastTime(expression: string, { since, until }: { since: Date; until: Date }): Date | undefined {
  // A millisecond on, because croner looks before the time it is given.
  const [found] = parsed(expression)?.previousRuns(1, new Date(until.getTime() + 1)) ?? [];
  return found !== undefined && found > since ? found : undefined;
}

/** The first time that fits, after `since`. */
export const firstTime = (expression: string, since: Date): Date | undefined => parsed(expression)?.nextRun(since) ?? undefined;

function parsed(expression: string): Cron | undefined {
  try {
    return new Cron(expression, { timezone: 'UTC', paused: true, mode: '5-part' });
  } catch {
    return undefined;
  }
}
