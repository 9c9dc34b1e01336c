import type { Owner } from '../engine.ts';
import type { ArchitectureState, InstanceRecord, Machine, SlotRecord } from './machine.ts';
import { bodyRuns, isAccepting, type Judgement } from './paths.ts';

/** An owner that served and no longer has a path that accepts. `by`: the verb and subject, or what the world did. */
export type Outage = { architecture: string; owner: Owner; effect: number; by: string };

/** A path that still held connections lost its body, its place or its life. */
export type Cut = { architecture: string; path: string; effect: number; by: string };

const ownerKey = (architecture: string, owner: Owner): string => `${architecture} ${owner.kind} ${owner.name}`;

/** The model checker's eye: looks after every single change, and remembers who stopped being served, and by what. */
export class Availability {
  readonly outages: Outage[] = [];
  readonly cuts: Cut[] = [];
  /** Places that went while a path still was to send nothing there: it goes on so with whatever comes later. */
  readonly stuck: string[] = [];
  /** Number of the latest effect. */
  effect = 0;
  readonly #machine: Machine;
  readonly #judgement: Judgement;
  #served = new Map<string, { architecture: string; owner: Owner }>();

  constructor(machine: Machine, judgement: Judgement) {
    this.#machine = machine;
    this.#judgement = judgement;
  }

  /** Names of the owner's paths that accept connections now, in one architecture or all. */
  serving(owner: Owner, architecture?: string): string[] {
    const states = [...this.#machine.architectures.values()].filter(({ name }) => architecture === undefined || name === architecture);
    return states
      .flatMap((state) => this.#accepting(state).filter(({ spec }) => spec.owner.kind === owner.kind && spec.owner.name === owner.name))
      .map(({ spec }) => spec.name);
  }

  look(by: string): void {
    const now = new Map<string, { architecture: string; owner: Owner }>();
    for (const state of this.#machine.architectures.values()) {
      for (const { spec } of this.#accepting(state))
        now.set(ownerKey(state.name, spec.owner), { architecture: state.name, owner: spec.owner });
      for (const instance of state.instances.values()) this.#lookForCut(state, instance, by);
    }
    for (const [key, served] of this.#served) if (!now.has(key)) this.outages.push({ ...served, effect: this.effect, by });
    this.#served = now;
  }

  /** To be asked before a path goes: whether that cuts what it holds. */
  noteEnd(state: ArchitectureState, instance: InstanceRecord, by: string): void {
    const place = instance.spec.role === 'service' ? state.slots.get(instance.spec.slot) : undefined;
    const inFlight = place?.inFlight ?? 0;
    if (place && inFlight > 0) place.inFlight = 0;
    if (!instance.path?.held && inFlight === 0) return;
    if (instance.path) instance.path.held = 0;
    this.cuts.push({ architecture: state.name, path: instance.spec.name, effect: this.effect, by });
  }

  /** To be asked before a place goes. */
  notePlaceEnd(state: ArchitectureState, { avoided, spec: { name, owner, colour } }: SlotRecord): void {
    const isReached = this.#accepting(state).some(({ spec }) => spec.owner.name === owner.name && spec.colour === colour);
    if (avoided && isReached) this.stuck.push(name);
  }

  #accepting(state: ArchitectureState): InstanceRecord[] {
    return [...state.instances.values()].filter((instance) => isAccepting(state, instance, this.#judgement));
  }

  #lookForCut(state: ArchitectureState, instance: InstanceRecord, by: string): void {
    if (!instance.path?.held) return;
    const place = state.slots.get(instance.spec.slot)?.ready === true;
    if (!place || !bodyRuns(state, instance.spec, this.#judgement)) this.noteEnd(state, instance, by);
  }
}
