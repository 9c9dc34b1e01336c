import type { AnswerMeasures } from '../datapath/path-log.ts';
import type { InstanceUsage, Measures, Observation } from '../engine/engine.ts';
import type { DesiredUnit } from '../rollout/desired.ts';
import { outfit } from '../rollout/outfit.ts';
import { serviceOf } from '../rollout/size.ts';

/** What one instance went through since the look before. `cores`: of a processor, on average; `memory`: as a share of its limit. */
export type InstanceSample = { service: string | undefined; cores?: number; memory: number };

/** What went through a unit's data path since the look before; nothing where it had nothing to say. */
export type PathSample = {
  requests: number;
  answers: number;
  errors: number;
  latencyMs?: { p50: number; p95: number; p99: number };
  queue: number;
  connections: number;
};

/** One look at a unit, `spanMs` after the one before. */
export type Sample = { atMs: number; spanMs: number; path?: PathSample; instances: readonly InstanceSample[] };

/** What the next sample is counted from. */
export type Looked = { atMs: number; measures?: Measures; usage: ReadonlyMap<string, InstanceUsage> };

export type Look = { unit: DesiredUnit; observed: Observation; usage: readonly InstanceUsage[]; atMs: number };

/** A look at a unit as its release says it is. Pure; `before` is the look before, without which nothing can be said of a time between. */
export function sampleOf(
  { unit, observed, usage, atMs }: Look,
  before: Looked | undefined,
): { sample: Sample | undefined; looked: Looked } {
  const { live, seat } = outfit(unit, observed, 0);
  const measures = live?.path?.phase === 'serving' ? live.path.measures : undefined;
  const own = new Map(usage.map((each) => [each.container, each]));
  const looked: Looked = { atMs, usage: own, ...(measures && { measures }) };
  if (!before) return { sample: undefined, looked };
  const spanMs = atMs - before.atMs;
  const instances = seat.instances.flatMap(({ name, limits }): InstanceSample[] => {
    const used = usage.find((each) => each.name === name);
    if (!used) return [];
    const was = before.usage.get(used.container);
    const cores = was && spanMs > 0 ? { cores: (used.cpuMs - was.cpuMs) / spanMs } : {};
    return [{ service: serviceOf(unit.owner, name), ...cores, memory: used.memoryBytes / limits.memoryBytes }];
  });
  const path = live && pathSample(measures, before.measures?.at !== measures?.at);
  return { sample: { atMs, spanMs, ...(path && { path }), instances }, looked };
}

/** A path that says nothing new, or nothing at all yet, had nothing to do; what was open and queued is so still. */
function pathSample(measures: Measures | undefined, isNew: boolean): PathSample {
  const now = { queue: measures?.queue ?? 0, connections: measures?.open ?? 0 };
  if (!isNew || !measures) return { requests: 0, answers: 0, errors: 0, ...now };
  return { requests: measures.requests, ...answersOf(measures), ...now };
}

/** How many answers there were, how many of them errors, and how long instances took. */
export function answersOf({ answers, latencyMs }: AnswerMeasures): Pick<PathSample, 'answers' | 'errors' | 'latencyMs'> {
  const all = Object.values(answers).reduce((sum, each) => sum + each, 0);
  return { answers: all, errors: answers['5xx'], ...(latencyMs && { latencyMs }) };
}
