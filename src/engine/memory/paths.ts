import type { PathMeasures, ServerMeasures } from '../../datapath/path-log.ts';
import type { FailingCheck, InstanceSpec, Measures, PathPhase } from '../engine.ts';
import { bodyKey, type ArchitectureState, type InstanceRecord, type PathRecord } from './machine.ts';

/** How a world judges: what it was told to find unhealthy, and what a path's configuration would check. */
export type Judgement = {
  unhealthy: (spec: InstanceSpec) => boolean;
  /** Services behind a path; undefined: those that were ever started of its body. */
  services: (path: InstanceSpec) => readonly string[] | undefined;
};

const inPlace = (state: ArchitectureState, instance: InstanceRecord): boolean =>
  instance.state === 'running' && state.slots.get(instance.spec.slot)?.ready === true;

const serviceOf = (state: ArchitectureState, instance: InstanceRecord): string =>
  state.slots.get(instance.spec.slot)?.spec.facts.service ?? '';

const networksOf = (state: ArchitectureState, spec: InstanceSpec): string[] =>
  (state.slots.get(spec.slot)?.spec.networks ?? []).map(({ network }) => network);

/** The instances behind a path. A store's path finds whatever server has its name on a network it is on. */
function membersOf(state: ArchitectureState, path: InstanceSpec): InstanceRecord[] {
  const key = bodyKey(path);
  const networks = networksOf(state, path);
  return [...state.instances.values()].filter(({ spec }) => {
    const isMember = spec.role === 'service' || spec.role === 'server';
    if (!isMember || spec.owner.kind !== path.owner.kind || spec.owner.name !== path.owner.name) return false;
    if (spec.role !== 'server') return bodyKey(spec) === key;
    return spec.colour === path.colour && networksOf(state, spec).some((name) => networks.includes(name));
  });
}

const servicesOf = (state: ArchitectureState, path: InstanceSpec, judgement: Judgement): readonly string[] =>
  judgement.services(path) ?? [...(state.bodies.get(bodyKey(path)) ?? [])];

/** Whether each service behind the path runs at least once. A store's path holds connections while no server runs. */
export function bodyRuns(state: ArchitectureState, path: InstanceSpec, judgement: Judgement): boolean {
  const running = new Set(
    membersOf(state, path)
      .filter((member) => inPlace(state, member))
      .map((member) => serviceOf(state, member)),
  );
  return servicesOf(state, path, judgement).every((service) => running.has(service));
}

/** Whether a client that connects now is not refused. */
export function isAccepting(state: ArchitectureState, instance: InstanceRecord, judgement: Judgement): boolean {
  return (
    ['serving', 'holding'].includes(instance.path?.stage ?? '') && inPlace(state, instance) && bodyRuns(state, instance.spec, judgement)
  );
}

/** What a waiter's health checks find wrong. */
/** What this engine's data paths ask of every instance. */
const asked = 'GET /healthz';

export function failingChecks(state: ArchitectureState, path: InstanceSpec, judgement: Judgement): FailingCheck[] {
  const members = membersOf(state, path);
  const found = new Set(members.map((member) => serviceOf(state, member)));
  const missing = servicesOf(state, path, judgement).filter((service) => !found.has(service));
  if (path.owner.kind === 'store' && members.length === 0) missing.push('server');
  const failing: FailingCheck[] = missing.map((server) => ({ server, asked, check: 'DNS', detail: 'its name has no address' }));
  if (judgement.unhealthy(path)) failing.push({ server: path.owner.name, asked, check: 'L7STS', code: 502, detail: 'Bad Gateway' });
  for (const member of members) {
    const server = state.slots.get(member.spec.slot)?.spec.facts.instance ?? member.spec.name;
    if (!inPlace(state, member)) failing.push({ server, asked, check: 'L4CON', detail: 'connection refused' });
    else if (judgement.unhealthy(member.spec)) failing.push({ server, asked, check: 'L7STS', code: 502, detail: 'Bad Gateway' });
  }
  return failing;
}

const nothing: PathMeasures = {
  number: 1,
  spanMs: 1000,
  retries: 0,
  redispatches: 0,
  requests: 0,
  answers: { '1xx': 0, '2xx': 0, '3xx': 0, '4xx': 0, '5xx': 0 },
  connections: 0,
  open: 0,
  queue: 0,
  servers: {},
};

/** What tests said went through it; and, once an app's instances come or go, who has what. */
function measuresOf(state: ArchitectureState, spec: InstanceSpec, { measures }: PathRecord): { measures?: Measures } {
  const places = [...state.slots.values()].filter(({ avoided, inFlight, spec: { owner, colour } }) => {
    const isOwn = owner.kind === spec.owner.kind && owner.name === spec.owner.name && colour === spec.colour;
    return isOwn && (avoided !== undefined || inFlight !== undefined);
  });
  if (places.length === 0) return measures ? { measures } : {};
  const servers = places.map(({ address, inFlight = 0, avoided, spec: { name } }): [string, ServerMeasures] => {
    const isUp = [...state.instances.values()].some(
      (each) => each.spec.slot === name && each.spec.role === 'service' && inPlace(state, each),
    );
    return [address, { inFlight, state: !isUp ? 'down' : avoided ? 'draining' : 'up' }];
  });
  return { measures: { ...(measures ?? { ...nothing, at: '' }), servers: { ...measures?.servers, ...Object.fromEntries(servers) } } };
}

/** What a path's log says of it now; of one that ended, what it said last. */
export function phaseOf(state: ArchitectureState, instance: InstanceRecord, judgement: Judgement): PathPhase | undefined {
  const path = instance.path;
  if (!path) return undefined;
  if (instance.state === 'exited') return path.lastPhase ?? { phase: 'starting' };
  if (path.stage === 'draining')
    return { phase: 'draining', ...(path.held > 0 && { connections: path.held }), ...(path.cut && { cut: path.cut }) };
  if (path.stage === 'serving') return { phase: 'serving', ...measuresOf(state, instance.spec, path) };
  if (path.stage === 'starting' || path.stage === 'holding') return { phase: path.stage };
  const failing = failingChecks(state, instance.spec, judgement);
  return failing.length === 0 ? { phase: 'healthy' } : { phase: 'checking', failing };
}
