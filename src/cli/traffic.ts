import { answersOf } from '../alarms/sample.ts';
import type { AnswerMeasures } from '../datapath/path-log.ts';
import type { LiveUnit } from './live-state.ts';

/** Of one second: how many answers, the share of them that are errors (5xx), and how long instances took, in ms, where any answered. */
export type Answered = { perSecond: number; errorRatio: number; latencyMs?: { p50: number; p95: number; p99: number } };

/**
 * What goes through a unit's data path, as it said last: `requestsPerSecond` and what follows of the last second, `queue` and what
 * follows now, `retries` and what follows all since this data path serves. `routes`: those of the policy that had answers.
 */
export type Traffic = Omit<Answered, 'perSecond'> & {
  requestsPerSecond: number;
  queue: number;
  inFlight: number;
  connections: number;
  retries: number;
  redispatches: number;
  refused: Readonly<Record<string, number>>;
  routes: Readonly<Record<string, Answered>>;
};

/** Undefined where no data path serves, or it has not said anything yet. Pure: a path says so, too, when it has nothing more to do. */
export function trafficOf({ instances }: LiveUnit): Traffic | undefined {
  const path = instances.find(({ role }) => role === 'path')?.path;
  if (path?.phase !== 'serving' || path.measures === undefined) return undefined;
  const { requests, spanMs, queue, open, servers, retries, redispatches, refused = {}, routes = {} } = path.measures;
  const { perSecond: _, ...answered } = answeredIn(path.measures, spanMs);
  return {
    requestsPerSecond: rate(requests, spanMs),
    ...answered,
    queue,
    inFlight: Object.values(servers).reduce((sum, { inFlight }) => sum + inFlight, 0),
    connections: open,
    retries,
    redispatches,
    refused,
    routes: Object.fromEntries(Object.entries(routes).map(([name, route]) => [name, answeredIn(route, spanMs)])),
  };
}

function answeredIn(measures: AnswerMeasures, spanMs: number): Answered {
  const { answers, errors, latencyMs } = answersOf(measures);
  return { perSecond: rate(answers, spanMs), errorRatio: answers === 0 ? 0 : errors / answers, ...(latencyMs && { latencyMs }) };
}

/** To a tenth. */
const rate = (count: number, spanMs: number): number => (spanMs === 0 ? 0 : Math.round((count * 10_000) / spanMs) / 10);

/** `120/s, 0.3 % errors, p50 4 p95 20 p99 130 ms, queue 2, 3 retries, 12 refused (patch:x 2, rate:login 10)`: what there is of it. */
export function trafficWords(traffic: Traffic): string {
  const { requestsPerSecond, queue, retries, redispatches, refused } = traffic;
  const rules = Object.entries(refused);
  const all = rules.reduce((sum, [, count]) => sum + count, 0);
  return [
    answeredWords({ ...traffic, perSecond: requestsPerSecond }),
    ...(queue > 0 ? [`queue ${queue}`] : []),
    ...(retries > 0 ? [`${retries} retries`] : []),
    ...(redispatches > 0 ? [`${redispatches} redispatches`] : []),
    ...(all > 0 ? [`${all} refused (${rules.map(([rule, count]) => `${rule} ${count}`).join(', ')})`] : []),
  ].join(', ');
}

/** `12/s, 0.3 % errors, p50 4 p95 20 p99 130 ms`. */
export const answeredWords = ({ perSecond, errorRatio, latencyMs }: Answered): string =>
  [
    `${perSecond}/s`,
    ...(errorRatio > 0 ? [`${Math.round(errorRatio * 1000) / 10} % errors`] : []),
    ...(latencyMs ? [`p50 ${latencyMs.p50} p95 ${latencyMs.p95} p99 ${latencyMs.p99} ms`] : []),
  ].join(', ');
