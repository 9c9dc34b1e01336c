import { startClients, type Heard, type Target } from '../test/engine/keep-alive-load.ts';

/** What one kind of client has seen. Requests are in the order in which they ended. */
export type Recorded = { sentAt: number[]; endedAt: number[]; failed: Heard[] };

/** All that was asked of one target: over connections that were kept, and over one for each request. */
export type Traffic = { kept: Recorded; fresh: Recorded; startedAt: number; endedAt: number };

/** A span of `performance.now()`. */
export type Span = readonly [from: number, to: number];

/** Clients of each kind, and how long they pause at most: up to 1,200 requests a second, which leaves two cores to the rest. */
const KEPT = { clients: 32, pauseMs: 60 };
const FRESH = { clients: 4, pauseMs: 60 };

/** Raw clients that POST and never retry, until they are stopped. Failed requests are recorded with the others. */
export function startTraffic(target: Target, method: 'GET' | 'POST' = 'POST'): { stop: () => Promise<Traffic> } {
  const startedAt = performance.now();
  const kept = record();
  const fresh = record();
  const loads = [
    startClients(target, { ...KEPT, method, heard: kept.heard }),
    startClients(target, { ...FRESH, method, fresh: true, heard: fresh.heard }),
  ];
  return {
    stop: async () => {
      await Promise.all(loads.map((load) => load.stop()));
      return { kept: kept.recorded, fresh: fresh.recorded, startedAt, endedAt: performance.now() };
    },
  };
}

function record(): { recorded: Recorded; heard: (heard: Heard) => void } {
  const recorded: Recorded = { sentAt: [], endedAt: [], failed: [] };
  const heard = (one: Heard): void => {
    recorded.sentAt.push(one.sentAt);
    recorded.endedAt.push(one.endedAt);
    if (one.failure !== undefined) recorded.failed.push(one);
  };
  return { recorded, heard };
}

export const asked = ({ kept, fresh }: Traffic): number => kept.sentAt.length + fresh.sentAt.length;

/** The failed requests of both kinds of client, in the order in which they were sent. */
export const failuresOf = ({ kept, fresh }: Traffic): Heard[] => [...kept.failed, ...fresh.failed].toSorted((a, b) => a.sentAt - b.sentAt);

/** Latencies, ascending, of the requests that were under way within any of the spans. */
export function latencies({ kept, fresh }: Traffic, spans: readonly Span[]): Float64Array {
  const found: number[] = [];
  for (const { sentAt, endedAt } of [kept, fresh])
    sentAt.forEach((sent, index) => {
      const ended = endedAt[index] ?? sent;
      if (spans.some(([from, to]) => sent <= to && ended >= from)) found.push(ended - sent);
    });
  return Float64Array.from(found).toSorted();
}

/** The latency that so large a part of the requests does not exceed. Not a number when there are none. */
export function percentile(ascending: Float64Array, part: number): number {
  return ascending[Math.max(0, Math.ceil(ascending.length * part) - 1)] ?? Number.NaN;
}

/**
 * From when the first failed request was sent (or `since`, when that is later) to the first good answer to a request that
 * was sent after the last one that failed; 0 when none failed. What ended before `since` is not looked at.
 */
export function gapOf(traffic: Traffic, since: number): number {
  const failed = failuresOf(traffic).filter(({ endedAt }) => endedAt >= since);
  const [first] = failed;
  if (first === undefined) return 0;
  const last = Math.max(since, ...failed.map(({ sentAt }) => sentAt));
  return Math.min(...[traffic.kept, traffic.fresh].map((recorded) => answerAfter(recorded, last))) - Math.max(first.sentAt, since);
}

/** When the first good answer came to a request that was sent later; Infinity when none came. */
function answerAfter({ sentAt, endedAt, failed }: Recorded, moment: number): number {
  const badEnds = new Set(failed.map((heard) => heard.endedAt));
  const ends = endedAt.filter((ended, index) => (sentAt[index] ?? 0) > moment && !badEnds.has(ended));
  return ends.reduce((earliest, ended) => Math.min(earliest, ended), Infinity);
}
