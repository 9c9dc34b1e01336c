import type { Told } from '../../api/schemas.ts';
import type { RunId } from '../../digest.ts';
import { stepWords, type JobRun } from '../../job-run.ts';
import { readKeptFrom } from '../../jobs/kept-from.ts';
import { lastEntry, numberedEvents } from '../../ledger/entries.ts';
import { findRun } from '../../ledger/sqlite-job-runs.ts';
import type { Problem } from '../../problem.ts';
import { done, failed } from '../../result.ts';
import type { Frame } from './event-stream.ts';
import type { Answering, Looking, StreamHandlers } from './handlers.ts';
import { unknownRun, unreadable } from './tell.ts';
import { toldRun } from './views.ts';

/** So many events are sent at a time. */
const atOnce = 100;

/** All that is told as it happens. */
export const follow: StreamHandlers = {
  async eventStream({ read }, { query: { type, run }, lastEventId }) {
    if (lastEventId !== undefined && !/^\d{1,15}$/.test(lastEventId)) return failed(wrongPosition(lastEventId));
    let after = lastEventId === undefined ? read(lastEntry) : Number(lastEventId);
    if (after === undefined) return failed(unreadable);
    const filter = { ...(type !== undefined && { type }), ...(run !== undefined && { run }) };
    return done(async () => {
      const found = read((database) => numberedEvents(database, { ...filter, after: after ?? 0, limit: atOnce })) ?? [];
      after = found.at(-1)?.number ?? after;
      return { frames: found.map((each) => ({ id: String(each.number), event: 'event', data: each })) };
    });
  },

  async logs(answering, { parameters, query, lastEventId }) {
    const found = answering.read((database) => ({ run: findRun(database, parameters.run as RunId) }));
    if (!found) return failed(unreadable);
    if (!found.run) return failed(unknownRun(parameters.run));
    const known = found.run.plan.steps.map(({ key }) => key);
    const wanted = known.filter((key) => query.step === undefined || stepWords(key) === stepWords(query.step));
    if (wanted.length === 0)
      return failed({
        ...unknownRun(parameters.run),
        what: `run ${parameters.run} has no step ${query.step}`,
        why: `there are ${known.map(stepWords).join(', ')}`,
      });
    const positions = positionsOf(lastEventId, wanted.length);
    if (!positions) return failed(wrongPosition(lastEventId ?? ''));
    return done(linesOf(answering, { run: found.run, wanted, positions, follows: query.follow === 'true' }));
  },
};

type Following = { run: JobRun; wanted: readonly string[]; positions: number[]; follows: boolean };

/** The id of each line says how far each step was told: with it a client goes on without a gap, and without a line twice. */
function linesOf({ read, logs }: Answering, { run, wanted, positions, follows }: Following): Looking {
  return async () => {
    // Before the lines: what is closed prints no more.
    const known = read((database) => findRun(database, run.id)) ?? run;
    const frames: Frame[] = [];
    for (const [index, step] of wanted.entries()) {
      const { lines, next } = await readKeptFrom(logs, { run: run.id, step, from: positions[index] ?? 0 });
      for (const { line, end } of lines) {
        positions[index] = end;
        const data: Told['logLine'] = { step, at: line.at, stream: line.stream, line: line.line };
        frames.push({ id: positions.join('.'), event: 'line', data });
      }
      positions[index] = next;
      // One step's chunk at a time bounds what waits to be taken.
      if (frames.length > 0) return { frames };
    }
    const isEnd = known.closedAt !== undefined || !follows;
    return { frames: isEnd ? [{ event: 'ended', data: toldRun(known) }] : [], isEnd };
  };
}

function positionsOf(id: string | undefined, count: number): number[] | undefined {
  if (id === undefined) return Array.from({ length: count }, () => 0);
  const positions = /^\d{1,12}(\.\d{1,12})*$/.test(id) ? id.split('.').map(Number) : [];
  return positions.length === count ? positions : undefined;
}

const wrongPosition = (id: string): Problem => ({
  code: 'REQUEST_INVALID',
  what: `no event of this stream has the id ${JSON.stringify(id.slice(0, 64))}`,
  next: 'leave Last-Event-ID out, or send the id of an event as it came',
});
