import type { ChangelessEvent, Report, UnitName } from '../events.ts';
import type { Engine, InstanceSpec, Observation, Owner, PathPhase, SecretDelivery } from '../engine/engine.ts';
import type { Problem } from '../problem.ts';
import type { Result } from '../result.ts';
import type { Secret } from '../secret.ts';
import { stepOf } from './ground.ts';
import { namesAddresses, withNames } from './named-checks.ts';
import type { Lane, Named, Stage, Step } from './step.ts';

/** A waiter that did not report healthy in the time it was given. */
export type Unhealthy = { path: Named; phase: PathPhase; ended: boolean };

/** What a stage came to: lanes that failed, waiters that are not healthy yet, and whether another controller took over. */
export type StageOutcome = { problems: readonly { step: Step; problem: Problem }[]; unhealthy: readonly Unhealthy[]; overtaken: boolean };

export type Hands = {
  engine: Engine;
  architecture: string;
  /** All that the engine holds of the architecture. Where many ask at once, as groups do, they share a look. */
  observe: () => Promise<Result<Observation>>;
  /** The value of a secret, just before somebody gets it. */
  openSecret: (sealed: SecretDelivery) => Promise<Result<Secret>>;
  /** Whether this controller may still act; asked before every step. */
  mayAct: () => Promise<boolean>;
  /** Puts on record that containers are to end, before they are told; false when this controller may not act any more. */
  letGo: (containers: readonly string[]) => Promise<boolean>;
  report: Report;
  /** Milliseconds since some fixed moment. */
  now: () => number;
  /** How long one look at a waiter takes before the plan is made again. */
  lookMs: number;
  /** How long to wait before something that failed is tried again. */
  pauseMs: number;
};

const nothing: StageOutcome = { problems: [], unhealthy: [], overtaken: false };

/** Carries out a stage: lanes side by side, the steps of a lane one after another until one fails. */
export async function carryOut({ lanes, followedBy = [] }: Stage, hands: Hands): Promise<StageOutcome> {
  let outcome = await carryOutLanes(lanes, hands);
  for (const round of followedBy) if (went(outcome)) outcome = await carryOutLanes(round, hands);
  return outcome;
}

const went = ({ problems, unhealthy, overtaken }: StageOutcome): boolean => problems.length + unhealthy.length === 0 && !overtaken;

async function carryOutLanes(lanes: readonly Lane[], hands: Hands): Promise<StageOutcome> {
  // Together, for each record is a write to the disk.
  const going = lanes.flatMap(([first]) => (first ? toldToEnd(first) : []));
  if (going.length > 0 && !(await hands.letGo(going))) return { ...nothing, overtaken: true };
  const outcomes = await Promise.all(lanes.map((lane) => carryOutLane(lane, new Set(going), hands)));
  return {
    problems: outcomes.flatMap(({ problems }) => problems),
    unhealthy: outcomes.flatMap(({ unhealthy }) => unhealthy),
    overtaken: outcomes.some(({ overtaken }) => overtaken),
  };
}

/** The container that a step tells to end. */
function toldToEnd(step: Step): string[] {
  if (step.do === 'drain-path') return step.path.container === undefined ? [] : [step.path.container];
  return step.do === 'remove-instance' && step.instance.container !== undefined ? [step.instance.container] : [];
}

async function carryOutLane(lane: Lane, going: ReadonlySet<string>, hands: Hands): Promise<StageOutcome> {
  for (const step of lane) {
    const ends = toldToEnd(step).filter((container) => !going.has(container));
    if (!(await (ends.length > 0 ? hands.letGo(ends) : hands.mayAct()))) return { ...nothing, overtaken: true };
    if (step.do === 'await-healthy') return { ...nothing, unhealthy: await look(step.path, hands) };
    const result = await perform(step, hands);
    if (!result.ok) return { ...nothing, problems: [{ step, problem: result.problem }] };
    const event = eventOf(step);
    if (event) hands.report(event);
  }
  return nothing;
}

async function look(path: Named, hands: Hands): Promise<Unhealthy[]> {
  const { engine, architecture, lookMs, report, now } = hands;
  const began = now();
  const health = await engine.awaitHealthy(architecture, path.name, lookMs);
  if (!health.ok) return [{ path, ...health.problem, phase: await told(health.problem.phase, hands) }];
  const said = { unit: unitName(path.owner), generation: path.generation, durationMs: now() - began };
  if (path.aside === 'rehearsal' || path.aside === 'proof')
    report({ type: 'store-tried', ...said, on: path.aside === 'rehearsal' ? 'copy' : 'data' });
  else if (path.aside === undefined) report({ type: 'unit-healthy', ...said });
  return [];
}

/** In words that people know: instances, not addresses. */
async function told(phase: PathPhase, { observe }: Hands): Promise<PathPhase> {
  if (!namesAddresses(phase)) return phase;
  const observed = await observe();
  return observed.ok ? withNames(phase, observed.value) : phase;
}

function perform(step: Exclude<Step, { do: 'await-healthy' }>, hands: Hands): Promise<Result<void>> {
  const { engine, architecture } = hands;
  switch (step.do) {
    case 'ensure-network':
      return engine.ensureNetwork(architecture, step.network);
    case 'ensure-volume':
      return engine.ensureVolume(architecture, step.volume);
    case 'note-body':
      return engine.noteBody(architecture, step.volume, step.body);
    case 'copy-volume':
      return engine.copyVolume(architecture, step.copy);
    case 'remove-copy':
      return engine.removeVolume(architecture, step.volume);
    case 'ensure-slot':
      return engine.ensureSlot(architecture, step.slot);
    case 'start-instance':
      return startInstance(step.instance, hands);
    case 'hold-path':
      return engine.holdPath(architecture, step.path.name);
    case 'promote-path':
      return engine.promotePath(architecture, step.path.name);
    case 'drain-path':
      return engine.drainPath(architecture, step.path.name);
    case 'signal-instance':
      return engine.signalInstance(architecture, step.instance.name, step.signal);
    case 'remove-instance':
      return engine.removeInstance(architecture, step.instance.name, step.instance.container);
    case 'remove-slot':
      return engine.removeSlot(architecture, step.slot);
    case 'remove-network':
      return engine.removeNetwork(architecture, step.network);
  }
}

async function startInstance(instance: InstanceSpec, { engine, architecture, openSecret }: Hands): Promise<Result<void>> {
  const values: Record<string, Secret> = {};
  for (const delivery of instance.secrets ?? []) {
    const opened = await openSecret(delivery);
    if (!opened.ok) return opened;
    values[delivery.file] = opened.value;
  }
  return engine.startInstance(architecture, instance, values);
}

function eventOf(step: Step): ChangelessEvent | undefined {
  switch (step.do) {
    case 'start-instance':
      return step.instance.role === 'departure' ? undefined : started(step.instance);
    case 'hold-path':
      return { type: 'store-holding', unit: unitName(step.path.owner), generation: step.path.generation };
    case 'promote-path':
      if (step.path.aside) return undefined;
      return { type: 'unit-switched', unit: unitName(step.path.owner), generation: step.path.generation };
    case 'drain-path':
      if (step.path.aside) return undefined;
      return { type: 'unit-draining', unit: unitName(step.path.owner), generation: step.path.generation };
    case 'remove-instance':
      if (step.left) return { type: 'instance-left', unit: unitName(step.instance.owner), instance: step.instance.name, ...cutOf(step) };
      return step.instance.role === 'path' && !step.instance.aside
        ? {
            type: 'unit-retired',
            unit: unitName(step.instance.owner),
            generation: step.instance.generation,
            ...cutOf(step),
          }
        : undefined;
    default:
      return undefined;
  }
}

function started({ owner, role, name, generation }: InstanceSpec): ChangelessEvent {
  const said = { unit: unitName(owner), instance: name, generation };
  return role === 'step' ? { type: 'step-started', step: stepOf(name), ...said } : { type: 'instance-started', ...said };
}

const cutOf = ({ cut }: { cut?: number }): { cut?: number } => (cut ? { cut } : {});

/** Units are the core, apps and stores; controllers own no instances. */
export const unitName = ({ kind, name }: Owner): UnitName => ({ kind: kind === 'controller' ? 'core' : kind, name });
