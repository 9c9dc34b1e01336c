import type { Observation, ObservedInstance } from '../engine/engine.ts';
import type { ChangelessEvent, Report } from '../events.ts';
import { nextStart, recordDeath, type Deaths } from '../rollout/backoff.ts';
import { unitName, type Hands } from '../rollout/carry-out.ts';
import type { Desired } from '../rollout/desired.ts';
import { outfit } from '../rollout/outfit.ts';
import { sizedTo } from '../rollout/size.ts';

/** What died while a release was live: said when it is noticed and when it is replaced, and held back when it dies again and again. */
export class Losses {
  readonly deaths: Deaths = new Map();
  readonly #seen = new Set<string>();
  readonly #since = new Map<string, number>();
  /** Names of all that was ever there: what never was, is not replaced. */
  readonly #known = new Set<string>();
  readonly #desired: Desired;
  readonly #hands: Hands;

  constructor(desired: Desired, hands: Hands) {
    this.#desired = desired;
    this.#hands = hands;
  }

  /** Takes note of wanted instances that have ended. Each container counts once. */
  count(observed: Observation, token: number): void {
    const there = new Set(observed.instances.map(({ container }) => container));
    for (const container of this.#seen) if (!there.has(container)) this.#seen.delete(container);
    const wanted = new Set(sizedTo(this.#desired, observed).units.flatMap((unit) => wantedNames(unit, observed, token)));
    for (const { name } of observed.instances) this.#known.add(name);
    for (const instance of observed.instances) if (instance.state === 'exited' && wanted.has(instance.name)) this.#lose(instance);
  }

  #lose(instance: ObservedInstance): void {
    if (this.#seen.has(instance.container)) return;
    this.#seen.add(instance.container);
    const now = this.#hands.now();
    recordDeath(this.deaths, instance.name, now);
    this.#since.set(instance.name, now);
    const what = instance.exitCode === undefined ? 'ended' : `ended with exit code ${instance.exitCode}`;
    this.#hands.report({ type: 'instance-lost', unit: unitName(instance.owner), instance: instance.name, what });
  }

  nextStart(): number | undefined {
    return nextStart(this.deaths, this.#hands.now());
  }

  /** Passes events on; a start becomes a replacement, with the time since the loss was noticed. */
  readonly watchReport: Report = (event: ChangelessEvent) => {
    if (event.type === 'instance-left') this.#known.delete(event.instance);
    if (event.type !== 'instance-started' || !this.#known.has(event.instance)) return this.#hands.report(event);
    const now = this.#hands.now();
    const since = this.#since.get(event.instance) ?? now;
    this.#since.delete(event.instance);
    this.#hands.report({ type: 'instance-replaced', unit: event.unit, instance: event.instance, durationMs: now - since });
  };
}

/** The names its instances and its path have now. A path that served keeps the token of the rollout that made it. */
function wantedNames(unit: Desired['units'][number], observed: Observation, token: number): string[] {
  const { seat, path, state } = outfit(unit, observed, token);
  const paths = state.ended.filter(({ generation }) => generation === unit.generation).map(({ name }) => name);
  return [...seat.instances.map(({ name }) => name), path.name, ...paths];
}
