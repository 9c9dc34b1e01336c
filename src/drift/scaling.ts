import type { InstanceUsage, Observation, ObservedInstance, ObservedRequest, Owner } from '../engine/engine.ts';
import type { Problem } from '../problem.ts';
import type { Request } from '../request.ts';
import { unitName, type Hands } from '../rollout/carry-out.ts';
import type { Desired, DesiredUnit } from '../rollout/desired.ts';
import { countKey, countOf, placeOf, type Counts, type Range } from '../rollout/size.ts';
import { current, isUnit, unitState } from '../rollout/unit-state.ts';
import { decideCount, memoryMs, type Sample } from './decide-count.ts';

type Elastic = { unit: DesiredUnit; service: string; range: Range; key: string };

type Known = { count: number; since: number; samples: Sample[] };

/** So often a service with a metric is looked at. */
const lookMs = 1000;

/**
 * How many instances the elastic services of a live release are to have: what someone asked for, else what the metric asks for. What
 * it knows of the past is in memory only: a new controller waits a minute before it takes any away.
 */
export class Scaling {
  readonly #services: readonly Elastic[];
  readonly #hands: Hands;
  readonly #architecture: string;
  readonly #known = new Map<string, Known>();
  /** What each is on its way to. */
  readonly #said = new Map<string, number>();
  #used = new Map<string, InstanceUsage & { at: number }>();

  constructor({ architecture, units }: Desired, hands: Hands) {
    this.#architecture = architecture;
    this.#hands = hands;
    this.#services = units.flatMap((unit) =>
      Object.entries(unit.ranges ?? {}).map(([service, range]) => ({ unit, service, range, key: countKey(unit.owner.name, service) })),
    );
  }

  /** How long it may be until the next look; undefined where nothing asks for one. */
  get beatMs(): number | undefined {
    return this.#services.some(({ range }) => range.metric) ? lookMs : undefined;
  }

  /**
   * Those that are to change. Requests that are served, or were overtaken by a newer one, are taken away. `free`: the only units
   * that may; what is asked of others lies there until they may.
   */
  async counts(observed: Observation, free?: readonly Owner[]): Promise<Counts> {
    const services = this.#services.filter(({ unit }) => free?.some((owner) => isUnit(owner, unit.owner)) ?? true);
    if (services.length === 0) return new Map();
    const cores = await this.#coresUsed();
    const isDue = ({ request }: ObservedRequest): boolean => !free || services.some(({ key }) => key === keyOf(request));
    const asked = await this.#asked(observed, observed.requests.filter(isDue));
    const counts = new Map<string, number>();
    for (const elastic of services) {
      const wanted = asked.get(elastic.key) ?? this.#byMetric(elastic, { observed, cores });
      const { count } = countOf(elastic, observed);
      if (wanted === undefined || wanted === count) {
        this.#said.delete(elastic.key);
        continue;
      }
      counts.set(elastic.key, wanted);
      this.#say(elastic, { from: count, to: wanted, why: asked.has(elastic.key) ? 'asked' : (elastic.range.metric ?? 'asked') });
    }
    return counts;
  }

  async #asked(observed: Observation, requests: readonly ObservedRequest[]): Promise<Counts> {
    const asked = new Map<string, number>();
    for (const { name, request } of requests.toReversed()) {
      const key = keyOf(request);
      if (key === undefined || request?.ask !== 'scale') continue;
      const elastic = this.#services.find((each) => each.key === key);
      const refused = refusal(request, elastic?.range);
      const isOver = refused !== undefined || asked.has(key) || (elastic && isReached(elastic, request.count, observed));
      if (isOver) await this.#take(name, refused);
      if (!refused && !asked.has(key)) asked.set(key, request.count);
    }
    return asked;
  }

  async #take(request: string, problem: Problem | undefined): Promise<void> {
    if (!(await this.#hands.mayAct())) return;
    const taken = await this.#hands.engine.takeRequest(this.#architecture, request);
    if (problem) this.#hands.report({ type: 'request-refused', request, problem });
    else if (taken.ok) this.#hands.report({ type: 'request-served', request });
  }

  #byMetric(elastic: Elastic, { observed, cores }: Looked): number | undefined {
    if (!elastic.range.metric) return undefined;
    const now = this.#hands.now();
    const { count } = countOf(elastic, observed);
    const before = this.#known.get(elastic.key) ?? { count, since: now, samples: [] };
    const load = elastic.range.metric === 'cpu' ? coresOf(elastic, observed, cores) : requestsOf(elastic, observed);
    const samples = [...before.samples.filter(({ at }) => at > now - memoryMs), ...(load === undefined ? [] : [{ at: now, load }])];
    const known = { ...before, count, since: before.count === count ? before.since : now, samples };
    this.#known.set(elastic.key, known);
    return decideCount({ range: elastic.range, now, ...known });
  }

  /** Cores used by each container since the last look. */
  async #coresUsed(): Promise<ReadonlyMap<string, number>> {
    if (!this.#services.some(({ range }) => range.metric === 'cpu')) return new Map();
    const used = await this.#hands.engine.usage(this.#architecture);
    if (!used.ok) return new Map();
    const at = this.#hands.now();
    const before = this.#used;
    this.#used = new Map(used.value.map((usage) => [usage.container, { ...usage, at }]));
    return new Map(
      used.value.flatMap(({ container, cpuMs }): [string, number][] => {
        const last = before.get(container);
        return last && at > last.at ? [[container, (cpuMs - last.cpuMs) / (at - last.at)]] : [];
      }),
    );
  }

  #say({ unit, service, key }: Elastic, change: { from: number; to: number; why: 'asked' | 'cpu' | 'requests' }): void {
    if (this.#said.get(key) === change.to) return;
    this.#said.set(key, change.to);
    this.#hands.report({ type: 'service-scaled', unit: unitName(unit.owner), service, ...change });
  }
}

const keyOf = (request: Request | undefined): string | undefined =>
  request?.ask === 'scale' ? countKey(request.app, request.service) : undefined;

/** Why nothing comes of a request; undefined where the service may have so many. */
function refusal({ app, service, count }: Extract<Request, { ask: 'scale' }>, range: Range | undefined): Problem | undefined {
  const name = `${app}.${service}`;
  const common = { code: 'REQUEST_REFUSED', safe: 'as many run as before', next: `give apps.${app} a range in architecture.ts` } as const;
  if (!range) return { ...common, what: `${name} has no range of instances` };
  const { min, max } = range;
  return count < min || count > max ? { ...common, what: `${name} has from ${min} to ${max} instances, not ${count}` } : undefined;
}

type Looked = { observed: Observation; cores: ReadonlyMap<string, number> };

/** As many run as were asked for, and none is left that leaves. */
function isReached(elastic: Elastic, wanted: number, observed: Observation): boolean {
  const { count, leaving } = countOf(elastic, observed);
  return !leaving && count === wanted && membersOf(elastic, observed).filter(({ state }) => state === 'running').length === wanted;
}

/** The service's instances where requests go. */
function membersOf({ unit, service }: Elastic, observed: Observation): ObservedInstance[] {
  const state = unitState(observed, unit.owner);
  const colour = current(state)?.colour;
  return state.members.filter((member) => {
    const place = isUnit(member.owner, unit.owner) ? placeOf(unit.owner, member.slot) : undefined;
    return place?.service === service && place.colour === colour;
  });
}

function coresOf(elastic: Elastic, observed: Observation, cores: ReadonlyMap<string, number>): number | undefined {
  const known = membersOf(elastic, observed).flatMap(({ container }) => cores.get(container) ?? []);
  return known.length === 0 ? undefined : known.reduce((sum, each) => sum + each, 0);
}

/** Those it has in flight and those that wait, as the data path said last, which may lead to other services, too. */
function requestsOf({ unit, service }: Elastic, observed: Observation): number | undefined {
  const path = current(unitState(observed, unit.owner))?.path;
  if (path?.phase !== 'serving' || !path.measures) return undefined;
  const { queue, servers } = path.measures;
  const own = observed.slots.filter(({ owner, name }) => isUnit(owner, unit.owner) && placeOf(unit.owner, name)?.service === service);
  return own.reduce((sum, { address }) => sum + (servers[address ?? '']?.inFlight ?? 0), queue);
}
