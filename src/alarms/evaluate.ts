import type { UnitAlarm } from '../rollout/desired.ts';
import type { InstanceSample, PathSample, Sample } from './sample.ts';

/**
 * What an alarm saw in its time: the value it is judged by (none where there was nothing to judge), whether that is past its limit,
 * and whether nothing was at any moment.
 */
export type Verdict = { value?: number; isBreached: boolean; isCalm: boolean };

/** What is judged: samples newest last, and when instances of the unit ended by themselves. */
export type Watched = { samples: readonly Sample[]; deaths: readonly { service: string | undefined; atMs: number }[]; nowMs: number };

/**
 * Judges an alarm by the last `forMs`. Rates, ratios and restarts are taken over all of it; of all else every sample must be past
 * the limit. Undefined while the time is not over yet. Pure.
 */
export function evaluate(alarm: UnitAlarm, { samples, deaths, nowMs }: Watched): Verdict | undefined {
  const since = nowMs - alarm.forMs;
  if (alarm.metric === 'restarts') {
    const died = deaths.filter(({ service, atMs }) => atMs > since && (alarm.service === undefined || service === alarm.service));
    return judge(alarm, [died.length]);
  }
  const [first] = samples;
  if (!first || first.atMs - first.spanMs > since) return undefined;
  return judge(
    alarm,
    valuesOf(
      alarm,
      samples.filter(({ atMs }) => atMs > since),
    ),
  );
}

function judge({ above, below }: UnitAlarm, values: readonly number[]): Verdict {
  if (values.length === 0) return { isBreached: false, isCalm: true };
  const [least, most] = [Math.min(...values), Math.max(...values)];
  if (above !== undefined) return { value: least, isBreached: least > above, isCalm: most <= above };
  const limit = below ?? 0;
  return { value: most, isBreached: most < limit, isCalm: least >= limit };
}

function valuesOf({ metric, service }: UnitAlarm, samples: readonly Sample[]): number[] {
  const paths = samples.flatMap(({ path }) => path ?? []);
  const sum = (of: (path: PathSample) => number): number => paths.reduce((total, path) => total + of(path), 0);
  const instances = (of: (instance: InstanceSample) => number | undefined): number[] =>
    samples.flatMap((sample) => worst(sample.instances.filter((each) => service === undefined || each.service === service).map(of)));
  switch (metric) {
    case 'request-rate': {
      const spanMs = samples.reduce((total, each) => total + (each.path ? each.spanMs : 0), 0);
      return spanMs > 0 ? [(sum(({ requests }) => requests) * 1000) / spanMs] : [];
    }
    case 'error-ratio':
      return sum(({ answers }) => answers) > 0 ? [sum(({ errors }) => errors) / sum(({ answers }) => answers)] : [];
    case 'latency-p50':
    case 'latency-p95':
    case 'latency-p99':
      return paths.flatMap(({ latencyMs }) => latencyMs?.[metric.slice(-3) as 'p50' | 'p95' | 'p99'] ?? []);
    case 'queue':
    case 'connections':
      return paths.map((path) => path[metric]);
    case 'cpu':
      return instances(({ cores }) => cores);
    case 'memory':
      return instances(({ memory }) => memory);
    case 'restarts':
      return [];
  }
}

/** An alarm on instances is one on each of them. */
function worst(values: readonly (number | undefined)[]): number[] {
  const known = values.filter((value) => value !== undefined);
  return known.length > 0 ? [Math.max(...known)] : [];
}
