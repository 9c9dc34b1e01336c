import type { InstanceUsage, Observation, Owner } from '../engine/engine.ts';
import type { ChangelessEvent, UnitName } from '../events.ts';
import { unitName } from '../rollout/carry-out.ts';
import type { Desired, DesiredUnit, UnitAlarm } from '../rollout/desired.ts';
import { serviceOf } from '../rollout/size.ts';
import { isUnit } from '../rollout/unit-state.ts';
import { evaluate } from './evaluate.ts';
import { sampleOf, type Looked, type Sample } from './sample.ts';

/** An alarm that has begun to fire, or has come to rest. `id`: `catalog/slow`, `catalog.api/hot`. */
export type AlarmChange = { unit: UnitName; id: string; alarm: UnitAlarm; state: 'fired' | 'cleared'; value?: number };

/** Looks sooner than this after one another tell nothing new. */
const leastSpanMs = 900;

type Death = { unit: UnitName; service: string | undefined; atMs: number };

/**
 * The alarms of a release that is live:
 *
 *     quiet ──past the limit for its time──> firing ──at no moment of its time past it──> quiet
 *
 * Holds the samples of as long as its longest alarm looks back, and nothing more.
 */
export class Alarms {
  readonly #firing: Set<string>;
  readonly #looked = new Map<string, Looked>();
  readonly #samples = new Map<string, Sample[]>();
  #deaths: Death[] = [];

  /** `firing`: ids of those that fire already, which need not be said again. */
  constructor(firing: Iterable<string> = []) {
    this.#firing = new Set(firing);
  }

  /** Whether a look now would tell something, or forget what nobody watches. */
  isDue({ units }: Desired, nowMs: number): boolean {
    const unit = units.find(({ alarms }) => alarms.length > 0);
    if (unit === undefined) return this.#deaths.length > 0;
    const last = this.#looked.get(keyOf(unit.owner));
    return last === undefined || nowMs - last.atMs >= leastSpanMs;
  }

  /** An instance that ended by itself counts as a restart. */
  note(event: ChangelessEvent, nowMs: number): void {
    if (event.type !== 'instance-lost') return;
    this.#deaths.push({ unit: event.unit, service: serviceOf(event.unit, event.instance), atMs: nowMs });
  }

  /** What has changed by this look. */
  look(desired: Desired, seen: { observed: Observation; usage: readonly InstanceUsage[]; nowMs: number }): AlarmChange[] {
    const { observed, usage, nowMs } = seen;
    const longest = Math.max(0, ...desired.units.flatMap(({ alarms }) => alarms.map(({ forMs }) => forMs)));
    this.#deaths = this.#deaths.filter(({ atMs }) => nowMs - atMs <= longest);
    return desired.units.flatMap((unit) => {
      if (unit.alarms.length === 0) return [];
      const key = keyOf(unit.owner);
      const { sample, looked } = sampleOf({ unit, observed, usage, atMs: nowMs }, this.#looked.get(key));
      this.#looked.set(key, looked);
      const samples = [...(this.#samples.get(key) ?? []), ...(sample ? [sample] : [])].filter(
        ({ atMs }) => nowMs - atMs <= longest + leastSpanMs,
      );
      this.#samples.set(key, samples);
      return unit.alarms.flatMap((alarm) => this.#judge({ unit, alarm, samples, nowMs }));
    });
  }

  /** What a unit went through until now says nothing of the generation it has from now on. */
  forget(unit: UnitName): void {
    const key = keyOf(unit);
    this.#looked.delete(key);
    this.#samples.delete(key);
    for (const id of this.#firing) if (id.startsWith(`${unit.name}/`) || id.startsWith(`${unit.name}.`)) this.#firing.delete(id);
  }

  #judge({ unit, alarm, samples, nowMs }: { unit: DesiredUnit; alarm: UnitAlarm; samples: Sample[]; nowMs: number }): AlarmChange[] {
    const id = idOf(unit, alarm);
    const deaths = this.#deaths.filter((death) => isUnit(death.unit, unit.owner));
    const verdict = evaluate(alarm, { samples, deaths, nowMs });
    const about = { unit: unitName(unit.owner), id, alarm, ...(verdict?.value !== undefined && { value: verdict.value }) };
    if (this.#firing.has(id) && verdict?.isCalm) {
      this.#firing.delete(id);
      return [{ ...about, state: 'cleared' }];
    }
    if (this.#firing.has(id) || !verdict?.isBreached) return [];
    this.#firing.add(id);
    return [{ ...about, state: 'fired' }];
  }
}

const keyOf = ({ kind, name }: Owner): string => `${kind}/${name}`;

const idOf = ({ owner }: DesiredUnit, { name, service }: UnitAlarm): string =>
  service === undefined ? `${owner.name}/${name}` : `${owner.name}.${service}/${name}`;
