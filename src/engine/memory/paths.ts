import type { FailingCheck, InstanceSpec, PathPhase } from '../engine.ts';
import { bodyKey, type ArchitectureState, type InstanceRecord } from './machine.ts';

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
    if (spec.role === 'path' || spec.owner.kind !== path.owner.kind || spec.owner.name !== path.owner.name) return false;
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

/** What a path's log says of it now; of one that ended, what it said last. */
export function phaseOf(state: ArchitectureState, instance: InstanceRecord, judgement: Judgement): PathPhase | undefined {
  const path = instance.path;
  if (!path) return undefined;
  if (instance.state === 'exited') return path.lastPhase ?? { phase: 'starting' };
  if (path.stage === 'draining')
    return { phase: 'draining', ...(path.held > 0 && { connections: path.held }), ...(path.cut && { cut: path.cut }) };
  if (path.stage !== 'waiting') return { phase: path.stage };
  const failing = failingChecks(state, instance.spec, judgement);
  return failing.length === 0 ? { phase: 'healthy' } : { phase: 'checking', failing };
}
